"""MobileNet in PyTorch, the peer of the throughput benchmark."""

from torch import nn

from mobilenet_tf.models.mobilenet import BLOCKS, STEM_FILTERS, width


def mobilenet(alpha: float, classes: int) -> nn.Module:
    """`(3, side, side) -> (classes,)` logits, the layers of `mobilenet_tf.build`."""
    channels = width(STEM_FILTERS, alpha)
    layers = [*_conv(3, channels, 3, 2)]
    for filters, strides in BLOCKS:
        layers += _conv(channels, channels, 3, strides, groups=channels)
        layers += _conv(channels, width(filters, alpha), 1, 1)
        channels = width(filters, alpha)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    return nn.Sequential(*layers, *head)


def _conv(channels, filters, size, strides, groups=1):
    return [
        nn.Conv2d(
            channels, filters, size, strides, size // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
        nn.ReLU6(inplace=True),
    ]
