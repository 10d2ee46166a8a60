import itertools
import re
import zipfile

import keras
import numpy as np
import pytest
from conftest import outputs_of

import mobilenet_tf
from experiments.published.mobilenets import TABLE1
from mobilenet_tf.models.mobilenet import ALPHAS, BLOCKS, RHOS, SHALLOW_BLOCKS, width

any_backend = pytest.mark.any_backend


def marks(width, resolution):
    """Every alpha and every rho once, all of them with --thorough; 0.25 on JAX too."""
    if ALPHAS[width] == 0.25:
        return [any_backend]
    return [] if width == resolution else [pytest.mark.thorough]


@pytest.mark.parametrize(
    ("alpha", "rho"),
    [
        pytest.param(alpha, rho, marks=marks(ALPHAS.index(alpha), RHOS.index(rho)))
        for alpha in ALPHAS
        for rho in RHOS
    ],
)
def test_equals_keras_applications(alpha, rho):
    # Logits: a softmax over many classes would make every difference small.
    head = {"classes": 100, "classifier_activation": None}
    ours = mobilenet_tf.build(alpha, rho, **head)
    side = ours.input_shape[1]
    theirs = keras.applications.MobileNet((side, side, 3), alpha, weights=None, **head)
    rng = np.random.default_rng(0)
    # Random statistics as well, so that a wrong normalisation cannot hide.
    weights = [
        rng.uniform(0.5, 1.5, w.shape) if w.ndim == 1 else w
        for w in theirs.get_weights()
    ]
    theirs.set_weights(weights)
    dense = theirs.layers[-3].get_weights()  # a 1x1 convolution there
    assert dense[0].ndim == 4
    weights[-2] = dense[0].reshape(ours.get_weights()[-2].shape)
    ours.set_weights(weights)
    images = rng.uniform(-1, 1, (2, side, side, 3)).astype("float32")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(images)),
        keras.ops.convert_to_numpy(theirs(images)),
        atol=1e-5,
        rtol=1e-5,
    )


def test_shapes_and_strides_are_those_of_table_1():
    model = mobilenet_tf.build()
    kinds = keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense
    built = [layer for layer in model.layers if isinstance(layer, kinds)]
    assert len(built) == len(TABLE1) == 28
    for layer, (kind, filters, inputs) in zip(built, TABLE1, strict=True):
        shape = tuple(layer.kernel.shape)
        assert shape == ((*filters, 1) if kind == "dw" else filters)
        assert tuple(layer.input.shape[1:]) == (inputs if kind != "fc" else (1024,))
    # The input sides of a layer and of the next one imply the stride.
    sides = [224, *(inputs[0] for kind, _, inputs in TABLE1[1:-1]), 7]
    assert [layer.strides[0] for layer in built[:-1]] == [
        side // after for side, after in itertools.pairwise(sides)
    ]
    last = model.get_layer("block13_pointwise_relu").output
    assert last.shape[1:] == (7, 7, 1024)


def test_layer_names_are_stable():
    names = [layer.name for layer in mobilenet_tf.build().layers]
    assert names[:7] == [
        "image",
        "stem",
        "stem_bn",
        "stem_relu",
        "block1_depthwise",
        "block1_depthwise_bn",
        "block1_depthwise_relu",
    ]
    assert names[-6:] == [
        "block13_pointwise",
        "block13_pointwise_bn",
        "block13_pointwise_relu",
        "pool",
        "dropout",
        "classifier",
    ]


def test_only_stock_layers():
    for layer in mobilenet_tf.build().layers:
        assert type(layer).__module__.startswith("keras.")


@any_backend
def test_a_file_needs_keras_alone(tmp_path):
    """Every class in it is Keras' own, so that it loads without this package."""
    model = mobilenet_tf.build(0.25, 1, base_resolution=32, classes=3)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = file.read("config.json").decode()
    modules = set(re.findall(r'"module": "(.*?)"', config))
    assert modules and all(name.partition(".")[0] == "keras" for name in modules)
    again = keras.models.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        outputs_of(again, images), outputs_of(model, images), atol=1e-6
    )


@any_backend
def test_weights_round_trip(tmp_path):
    small = {"alpha": 0.25, "base_resolution": 32, "classes": 3}
    model = mobilenet_tf.build(**small)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    again = mobilenet_tf.build(**small, weights=path)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_widths_are_rounded_to_the_nearest():
    assert [width(32, alpha) for alpha in (1, 0.75, 0.5, 0.25, 0.01)] == [
        32,
        24,
        16,
        8,
        1,
    ]
    assert width(32, 0.58) == 19  # 18.56, where truncation would give 18
    assert mobilenet_tf.build(1.3, classes=2).get_layer("stem").filters == 42


def test_hidden_units():
    model = mobilenet_tf.build(0.25, classes=2, hidden_units=(16, 8))
    assert model.get_layer("hidden2").units == 8
    with pytest.raises(ValueError, match="hidden_units must be an integer >= 1, got 0"):
        mobilenet_tf.build(hidden_units=(0,))


def test_shallow_leaves_out_the_five_blocks_at_14_pixels():
    assert len(BLOCKS) - len(SHALLOW_BLOCKS) == 5
    assert SHALLOW_BLOCKS[5:7] == ((512, 2), (1024, 2))


@pytest.mark.parametrize(
    ("pooling", "shape"),
    [(None, (None, 2, 2, 256)), ("avg", (None, 256)), ("max", (None, 256))],
)
def test_without_top(pooling, shape):
    model = mobilenet_tf.build(
        0.25, base_resolution=64, include_top=False, pooling=pooling
    )
    assert model.output_shape == shape


@any_backend
def test_activations():
    def kinds(activation):
        model = mobilenet_tf.build(0.25, activation=activation, classes=2)
        relus = [layer for layer in model.layers if layer.name.endswith("_relu")]
        assert len(relus) == 27
        return {
            (type(layer).__name__, getattr(layer, "max_value", None)) for layer in relus
        }

    assert kinds("relu6") == {("ReLU", 6.0)}
    assert kinds("relu") == {("ReLU", None)}
    assert kinds("swish") == {("Activation", None)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0}, r"alpha must be a number in \(0, 2\], got 0"),
        ({"alpha": -0.5}, "alpha must be a number .* got -0.5"),
        ({"alpha": 2.1}, "alpha must be a number .* got 2.1"),
        ({"alpha": float("nan")}, "alpha must be a number .* got nan"),
        ({"alpha": "1.0"}, "alpha must be a number .* got '1.0'"),
        ({"alpha": True}, "alpha must be a number .* got True"),
        ({"rho": 0}, "rho must be a number > 0, got 0"),
        ({"rho": float("inf")}, "rho must be a number > 0, got inf"),
        ({"rho": "4/7"}, "rho must be a number > 0, got '4/7'"),
        ({"rho": 0.1}, r"side of at least 32 pixels, that is rho >= 0.1429 .*side 22"),
        ({"base_resolution": 0}, "base_resolution must be an integer >= 1, got 0"),
        ({"base_resolution": 224.0}, "base_resolution must be an integer >= 1"),
        ({"classes": 0}, "classes must be an integer >= 1, got 0"),
        ({"classes": True}, "classes must be an integer >= 1, got True"),
        ({"dropout": 1.0}, r"dropout must be a number in \[0, 1\), got 1.0"),
        ({"pooling": "sum"}, "pooling must be one of None, 'avg', 'max', got 'sum'"),
        ({"pooling": "avg"}, "pooling needs include_top=False, got pooling='avg'"),
        (
            {"activation": "nope"},
            "activation must be None or the name of a .* got 'nope'",
        ),
        ({"include_top": "no"}, "include_top must be one of True, False, got 'no'"),
        (
            {"name": "a/b"},
            "name must be None or a non-empty string without '/', got 'a/b'",
        ),
        ({"weights": "random"}, "weights must be None or the path of a .h5 or .keras"),
        ({"weights": 3}, "weights must be None or the path .* got 3"),
        ({"weights": "none.weights.h5"}, "weights must be an existing file, got 'none"),
        ({"blocks": [(-64, 1)]}, "blocks must be an integer >= 1, got -64"),
        ({"blocks": None}, "blocks must be a sequence, got None"),
        ({"blocks": [(64,)]}, r"blocks must be sequences of 2, got \(64,\)"),
        ({"block": None}, "block must be a function, got None"),
        ({"hidden_units": 5}, "hidden_units must be a sequence, got 5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mobilenet_tf.build(**arguments)
