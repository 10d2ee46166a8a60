"""The networks that the papers compare theirs with, for their exact costs.

VGG 16 and Inception V3 are those of `keras.applications`; AlexNet and GoogLeNet are
built here, without local response normalisation, which has no weights and no mult-adds.
All take `classes` and `resolution` and expect no particular weights.
"""

from __future__ import annotations

import keras
from keras import layers

from mobilenet_tf import arguments
from mobilenet_tf.models.blocks import ceil_max_pool, conv_relu

# (filters, kernel size, groups, whether pooling follows) of conv2 to conv5 of AlexNet.
_ALEXNET = (
    (256, 5, 2, True),
    (384, 3, 1, False),
    (384, 3, 2, False),
    (256, 3, 2, True),
)

# Inception modules of GoogLeNet: filters of the 1x1 branch, of the 3x3 and 5x5 branches
# each behind its 1x1 reduction, and of the 1x1 behind pooling. "pool" halves the side.
_GOOGLENET = (
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
    """VGG 16, `keras.applications.VGG16` without weights.

    Source: Simonyan and Zisserman, arXiv 1409.1556.
    """
    _check(classes, resolution, 32)
    return keras.applications.VGG16(
        weights=None, input_shape=(resolution, resolution, 3), classes=classes
    )


def inception_v3(
    classes: int = 1000, resolution: int = 299, include_top: bool = True
) -> keras.Model:
    """Inception V3, `keras.applications.InceptionV3` without weights.

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
    """AlexNet as in Caffe's model zoo, with two groups in conv2, conv4 and conv5.

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
    """GoogLeNet without its two auxiliary classifiers, which only training uses.

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
        pools = isinstance(row, str)
        x = ceil_max_pool(x, name=row) if pools else _inception(x, *row)
    x = layers.GlobalAveragePooling2D(name="pool5")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="classifier")(x)
    return keras.Model(images, x, name="googlenet")


def _inception(x, name, one, reduce3, three, reduce5, five, after_pool):
    name = f"inception{name}"
    small = conv_relu(x, one, 1, name=f"{name}_1x1")
    middle = conv_relu(x, reduce3, 1, name=f"{name}_3x3_reduce")
    middle = conv_relu(middle, three, 3, name=f"{name}_3x3")
    large = conv_relu(x, reduce5, 1, name=f"{name}_5x5_reduce")
    large = conv_relu(large, five, 5, name=f"{name}_5x5")
    pool = layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    pool = conv_relu(pool, after_pool, 1, name=f"{name}_pool_1x1")
    return layers.Concatenate(name=name)([small, middle, large, pool])


def _check(classes, resolution, minimum):
    arguments.integer("classes", classes)
    arguments.integer("resolution", resolution, minimum)
