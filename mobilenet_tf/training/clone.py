"""The network as it is trained: the public model's layers, chosen for speed.

`build` returns, and files hold, stock Keras layers. Training uses a clone: the crop is
its first layer, the classifier gives logits, batch normalisation is fused on the
TensorFlow backend, and each layer has its own precision. Weights are copied with
`get_weights` and `set_weights`.
"""

import functools

import keras

from mobilenet_tf.models import graph
from mobilenet_tf.training import accelerated
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.precision import choose

# Names that no layer of the network has, beside which these stand.
_IMAGES, _BOXES, _CROP = "training_images", "training_boxes", "training_crop"


def training_clone(
    model: keras.Model,
    source: int,
    side: int | None = None,
    *,
    precision: str = "float32",
    l2: float = 0.0,
    bn_momentum: float | None = None,
    seed: int | None = None,
    input_range: tuple[float, float] | None = None,
    crop_numbers: int = 4,
) -> keras.Model:
    """The model to train: `uint8 (S, 3, S), crop (4,) -> logits (classes,)`.

    Args:
        model: A classifier of stock layers; models inside it are flattened.
        source: Side S in pixels of the stored images.
        side: Side in pixels the crop is scaled to; None means the model's own.
        precision: "float32"; "auto", see `mobilenet_tf.training.precision.choose`;
            "pointwise_bfloat16" computes the 1x1 convolutions, most
            of the mult-adds, in bfloat16 and all else in float32, which is the fastest
            on a CPU with AVX512-BF16; "mixed_bfloat16" is Keras' policy everywhere.
        l2: L2 penalty on convolution and dense kernels, never on depthwise ones
            (arXiv 1704.04861, section 3.2).
        bn_momentum: Momentum of the moving statistics; None keeps the model's.
        seed: Seed of dropout layers that have none of their own.
        input_range: The model's inputs for black and for white; None reads them from
            its layers, and means (-1, 1) where those do not determine them.
        crop_numbers: Numbers of a crop: 4, or 9 with a blend, see `CropResize`.
    """
    precision = choose(precision)
    model = graph.flatten(model)
    if input_range is None:
        input_range = graph.input_range(model) or graph.SYMMETRIC

    last = model.output._keras_history.operation

    def for_training(layer):
        config = layer.get_config()
        kind = type(layer)
        if not isinstance(layer, keras.layers.Layer):  # an operation, as a shuffle
            return kind.from_config(config)
        # The weights are copied: random numbers would be drawn for nothing.
        config |= {key: "zeros" for key in config if key.endswith("_initializer")}
        if kind in (keras.layers.Conv2D, keras.layers.Dense) and l2:
            config["kernel_regularizer"] = keras.regularizers.L2(l2)
        if kind is keras.layers.BatchNormalization:
            config["momentum"] = bn_momentum or config["momentum"]
        if kind is keras.layers.Dropout and config["seed"] is None:
            config["seed"] = seed
        if precision == "mixed_bfloat16" or (
            precision == "pointwise_bfloat16"
            and kind is keras.layers.Conv2D
            and layer.kernel_size == (1, 1)
        ):
            config["dtype"] = "mixed_bfloat16"
        if layer is last:
            config["dtype"] = "float32"
            if kind is keras.layers.Softmax:
                return _Logits.from_config(config)
            if "activation" in config:
                config["activation"] = "linear"
        return accelerated.class_for(layer).from_config(config)

    images = keras.Input((source, 3, source), dtype="uint8", name=_IMAGES)
    boxes = keras.Input((crop_numbers,), name=_BOXES)
    crop = CropResize(side or model.input_shape[1], input_range, name=_CROP)
    # A layer that occurs twice in the graph is one in the clone, too.
    logits = model._run_through_graph(
        crop([images, boxes]), functools.cache(for_training)
    )
    clone = keras.Model([images, boxes], logits, name=model.name)
    clone.set_weights(model.get_weights())
    for weight, copy in zip(model.weights, clone.weights, strict=True):
        if not weight.trainable:  # alone, in a layer that is trained
            copy.trainable = False
    return clone


def without_crop(clone: keras.Model) -> keras.Model:
    """The same layers from the crop on: `(batch, side, side, 3) -> logits`."""
    return keras.Model(clone.get_layer(_CROP).output, clone.output)


class _Logits(keras.layers.Softmax):
    """Replaces a final softmax layer; passes the logits on."""

    def call(self, inputs, mask=None):
        return inputs
