"""The networks that both papers compare with, for their exact costs.

VGG 16 and Inception V3 come from `keras.applications`. AlexNet and GoogLeNet are built
here, without local response normalisation, which has no weights and no mult-adds. All
take `classes` (at least 1) and `resolution`, the input's side in pixels, and are
initialised at random.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mobilenet_tf import arguments
from mobilenet_tf.models.squeezenet_blocks import ceil_max_pool, conv_relu

# conv2 to conv5 of AlexNet: filters, kernel size, groups, whether pooling follows.
_ALEXNET = (
    (256, 5, 2, True),
    (384, 3, 1, False),
    (384, 3, 2, False),
    (256, 3, 2, True),
)

# Inception modules of GoogLeNet: filters of the 1x1 convolution, the 3x3 reduction and
# convolution, the 5x5 reduction and convolution, and the 1x1 convolution after pooling.
# A string is a pooling layer, which halves the side.
_GOOGLENET: tuple[Any, ...] = (
    ("3a", 64, 96, 128, 16, 32, 32),
    ("3b", 128, 128, 192, 32, 96, 64),
    "pool3",
    ("4a", 192, 96, 208, 16, 48, 64),
    ("4b", 160, 112, 224, 24, 64, 64),
    ("4c", 128, 128, 256, 24, 64, 64),
    ("4d", 112, 144, 288, 32, 64, 64),
    ("4e", 256, 160, 320, 32, 128, 128),
    "pool4",
    ("5a", 256, 160, 320, 32, 128, 128),
    ("5b", 384, 192, 384, 48, 128, 128),
)


def vgg16(classes: int = 1000, resolution: int = 224) -> keras.Model:
    """VGG 16 of `keras.applications`, `(resolution, resolution, 3) -> (classes,)`.

    Source: Simonyan and Zisserman, arXiv 1409.1556.
    """
    _check(classes, resolution, 32)
    return keras.applications.VGG16(
        weights=None, input_shape=(resolution, resolution, 3), classes=classes
    )


def inception_v3(
    classes: int = 1000, resolution: int = 299, include_top: bool = True
) -> keras.Model:
    """Inception V3 of `keras.applications`, for sides of at least 75 pixels.

    Source: Szegedy et al., arXiv 1512.00567.
    """
    _check(classes, resolution, 75)
    return keras.applications.InceptionV3(
        include_top=include_top,
        weights=None,
        input_shape=(resolution, resolution, 3),
        classes=classes,
    )


def alexnet(classes: int = 1000, resolution: int = 227) -> keras.Model:
    """AlexNet of Caffe's model zoo, with two groups in conv2, conv4 and conv5.

    Source: Krizhevsky et al., "ImageNet classification with deep convolutional neural
    networks", 2012.
    """
    _check(classes, resolution, 67)
    images = keras.Input((resolution, resolution, 3), name="image")
    x = conv_relu(images, 96, 11, 4, padding="valid", name="conv1")
    x = ceil_max_pool(x, name="pool1")
    for index, (filters, size, groups, pools) in enumerate(_ALEXNET, start=2):
        x = conv_relu(x, filters, size, groups=groups, name=f"conv{index}")
        if pools:
            x = ceil_max_pool(x, name=f"pool{index}")
    x = layers.Flatten(name="flatten")(x)
    for index in (6, 7):
        x = layers.Dense(4096, activation="relu", name=f"fc{index}")(x)
        x = layers.Dropout(0.5, name=f"dropout{index}")(x)
    x = layers.Dense(classes, activation="softmax", name="fc8")(x)
    return keras.Model(images, x, name="alexnet")


def googlenet(classes: int = 1000, resolution: int = 224) -> keras.Model:
    """GoogLeNet without the two auxiliary classifiers, which only training uses.

    Source: Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842, table 1.
    """
    _check(classes, resolution, 32)
    images = keras.Input((resolution, resolution, 3), name="image")
    x = conv_relu(images, 64, 7, 2, name="conv1")
    x = ceil_max_pool(x, name="pool1")
    x = conv_relu(x, 64, 1, name="conv2_reduce")
    x = conv_relu(x, 192, 3, name="conv2")
    x = ceil_max_pool(x, name="pool2")
    for row in _GOOGLENET:
        is_pool = isinstance(row, str)
        x = ceil_max_pool(x, name=row) if is_pool else _inception(x, *row)
    x = layers.GlobalAveragePooling2D(name="pool5")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="classifier")(x)
    return keras.Model(images, x, name="googlenet")


def _inception(
    x: keras.KerasTensor,
    name: str,
    filters_1x1: int,
    reduce_3x3: int,
    filters_3x3: int,
    reduce_5x5: int,
    filters_5x5: int,
    filters_pool: int,
) -> keras.KerasTensor:
    name = f"inception{name}"
    branch_1x1 = conv_relu(x, filters_1x1, 1, name=f"{name}_1x1")
    branch_3x3 = conv_relu(x, reduce_3x3, 1, name=f"{name}_3x3_reduce")
    branch_3x3 = conv_relu(branch_3x3, filters_3x3, 3, name=f"{name}_3x3")
    branch_5x5 = conv_relu(x, reduce_5x5, 1, name=f"{name}_5x5_reduce")
    branch_5x5 = conv_relu(branch_5x5, filters_5x5, 5, name=f"{name}_5x5")
    pool = layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    pool = conv_relu(pool, filters_pool, 1, name=f"{name}_pool_1x1")
    return layers.Concatenate(name=name)([branch_1x1, branch_3x3, branch_5x5, pool])


def _check(classes: int, resolution: int, minimum: int) -> None:
    arguments.integer("classes", classes)
    arguments.integer("resolution", resolution, minimum)
