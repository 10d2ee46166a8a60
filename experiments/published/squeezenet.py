"""SqueezeNet, arXiv 1602.07360: the tables and figures about the network's shape.

Sizes in MB are 2**20 bytes of float32 parameters, mostly rounded up to the last digit
that is printed. Accuracies are ImageNet's, in percent.
"""

from collections.abc import Iterator

from experiments.published.row import PublishedRow

# Table 1: layer -> (output side and depth, parameters before and after pruning,
# percent of the weights kept: squeeze, expand 1x1, expand 3x3).
TABLE1 = {
    "conv1": ((111, 96), 14_208, 14_208, (100,)),
    "fire2": ((55, 128), 11_920, 5_746, (100, 100, 33)),
    "fire3": ((55, 128), 12_432, 6_258, (100, 100, 33)),
    "fire4": ((55, 256), 45_344, 20_646, (100, 100, 33)),
    "fire5": ((27, 256), 49_440, 24_742, (100, 100, 33)),
    "fire6": ((27, 384), 104_880, 44_700, (100, 50, 33)),
    "fire7": ((27, 384), 111_024, 46_236, (50, 100, 33)),
    "fire8": ((27, 512), 188_992, 77_581, (100, 50, 33)),
    "fire9": ((13, 512), 197_184, 77_581, (50, 100, 30)),
    "conv10": ((13, 1000), 513_000, 103_400, (20,)),
}
_FIRE_PARTS = ("squeeze", "expand1x1", "expand3x3")


def kept_weights() -> Iterator[tuple[str, int]]:
    """Table 1's percent of the weights that pruning keeps, by the layers' names."""
    for name, (_, _, _, kept) in TABLE1.items():
        if len(kept) == 1:
            yield name, kept[0]
        else:
            parts = (f"{name}_{part}" for part in _FIRE_PARTS)
            yield from zip(parts, kept, strict=True)


TABLE1_TOTAL = (1_248_424, 421_098)
TABLE1_BITS = 6  # of all weights
# Filter size and stride, or the filters of squeeze, expand 1x1 and expand 3x3.
TABLE1_FILTERS = {
    "conv1": "7x7/2 (x96)",
    "fire2": "16, 64, 64",
    "fire3": "16, 64, 64",
    "fire4": "32, 128, 128",
    "fire5": "32, 128, 128",
    "fire6": "48, 192, 192",
    "fire7": "48, 192, 192",
    "fire8": "64, 256, 256",
    "fire9": "64, 256, 256",
    "conv10": "1x1/1 (x1000)",
}
# Pooling after a layer -> (output, filter size and stride), as printed.
TABLE1_POOLS = {
    "conv1": ("maxpool1", "55x55x96", "3x3/2"),
    "fire4": ("maxpool4", "27x27x256", "3x3/2"),
    "fire8": ("maxpool8", "13x12x512", "3x3/2"),
    "conv10": ("avgpool10", "1x1x1000", "13x13/1"),
}
TABLE1_SLIPS = (
    "111x111 after conv1 needs an input of 227x227, not the printed 224x224.",
    "fire8 keeps 30 % of its 3x3 filters: with the printed 33 % its 77,581 parameters "
    "would be 82,005.",
    "maxpool8 gives 13x13, not the printed 13x12; the 20 % that are kept of conv10 are "
    "of a 1x1 convolution, not of the printed 3x3.",
    "The authors' released network pads conv10 by one pixel: 15x15 instead of 13x13.",
)


def _row(table, label, top1, top5, size, note=""):
    return PublishedRow(table, label, top1, top5=top5, size=size, note=note)


# Table 2: what is compressed, how -> MB before and after, top-1 and top-5 after. The
# megabytes are mixed: 240 are 10**6 bytes, 4.8 are 2**20.
TABLE2 = {
    (network, approach): PublishedRow(
        "SqueezeNet Table 2",
        f"{network}, {approach}",
        top1,
        top5=top5,
        size=size,
        compressed_size=compressed,
    )
    for network, approach, size, compressed, top1, top5 in (
        ("AlexNet", "none", 240, None, 57.2, 80.3),
        ("AlexNet", "SVD", 240, 48, 56.0, 79.4),
        ("AlexNet", "pruning", 240, 27, 57.2, 80.3),
        ("AlexNet", "Deep Compression", 240, 6.9, 57.2, 80.3),
        ("SqueezeNet", "none", 4.8, None, 57.5, 80.3),
        ("SqueezeNet", "Deep Compression, 8 bit", 4.8, 0.66, 57.5, 80.3),
        ("SqueezeNet", "Deep Compression, 6 bit", 4.8, 0.47, 57.5, 80.3),
    )
}

TABLE3 = {
    "none": _row("SqueezeNet Table 3", "Vanilla SqueezeNet", 57.5, 80.3, 4.8),
    "simple": _row("SqueezeNet Table 3", "SqueezeNet + Simple Bypass", 60.4, 82.5, 4.8),
    "complex": _row(
        "SqueezeNet Table 3",
        "SqueezeNet + Complex Bypass",
        58.8,
        82.0,
        7.7,
        "7.7 MB would need 2.0 million parameters; 1x1 convolutions around fire2, 4, 6 "
        "and 8, as described, make it 1.59 million",
    ),
}

# Figure 3a: squeeze ratio -> row, at pct_3x3 0.5. Figure 3b: share of 3x3 filters ->
# row, at squeeze ratio 0.5. Where no label is printed, the accuracy is read from the
# coordinates of the markers.
FIGURE3A = {
    ratio: _row("SqueezeNet Figure 3a", f"SR {ratio:g}", None, top5, size)
    for ratio, top5, size in (
        (0.125, 80.3, 4.8),
        (0.25, 83.4, 7.6),
        (0.5, 85.4, 13),
        (0.75, 86.0, 19),
        (1.0, 86.1, 24),
    )
}
FIGURE3B = {
    share: _row(
        "SqueezeNet Figure 3b",
        f"{100 * share:g} % 3x3",
        None,
        top5,
        size,
        "Figure 3a shows the same network at 85.4 %" if share == 0.5 else "",
    )
    for share, top5, size in (
        (0.01, 76.3, 5.7),
        (0.125, 80.9, 7.4),
        (0.25, 84.0, 9.3),
        (0.375, 84.7, 11),
        (0.5, 85.3, 13),
        (0.625, 85.6, 15),
        (0.75, 85.4, 17),
        (0.875, 85.5, 19),
        (0.99, 85.3, 21),
    )
}
