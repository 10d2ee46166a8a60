"""SqueezeNet: the paper's counts, and Caffe's borders."""

import keras
import numpy as np
import pytest
from conftest import outputs_of

from experiments.published.squeezenet import (
    FIGURE3A,
    FIGURE3B,
    TABLE1,
    TABLE1_TOTAL,
    TABLE3,
)
from mobilenet_tf import build_squeezenet
from mobilenet_tf.analysis import cost
from mobilenet_tf.models.squeezenet_blocks import ceil_max_pool

SMALL = {"classes": 3, "resolution": 67}


@pytest.mark.parametrize(
    ("version", "parameters", "million_mult_adds"),
    [("1.0", 1_248_424, 861.34), ("1.1", 1_235_496, 387.75)],
)
def test_published_counts(version, parameters, million_mult_adds):
    model = build_squeezenet(version)
    assert model.count_params() == cost.parameters(model, "slim") == parameters
    assert round(cost.mult_adds(model) / 1e6, 2) == million_mult_adds


def test_table_1():
    model = build_squeezenet(border="valid")
    built = dict.fromkeys(TABLE1, 0)
    for layer in cost.per_layer(model):
        if layer.weights:
            built[layer.name.partition("_")[0]] += layer.weights + layer.biases
    for name, ((side, depth), parameters, *_) in TABLE1.items():
        assert built[name] == parameters
        assert model.get_layer(name).output.shape[1:] == (side, side, depth)
    assert sum(built.values()) == TABLE1_TOTAL[0]


def mebibytes(**arguments):
    return 4 * build_squeezenet(**arguments).count_params() / 2**20


def test_figure_3_sizes():
    """The figure prints MiB rounded up, except for one point: 11.11 as 11."""
    sizes = {
        **{row: {"squeeze_ratio": ratio} for ratio, row in FIGURE3A.items()},
        **{
            row: {"squeeze_ratio": 0.5, "pct_3x3": share}
            for share, row in FIGURE3B.items()
        },
    }
    assert len(sizes) == 14
    for row, arguments in sizes.items():
        assert 0 <= row.size - mebibytes(**arguments) < 1 or row.size == 11


def test_table_3_sizes():
    assert round(mebibytes(bypass="simple"), 1) == TABLE3["simple"].size
    # The 7.7 that is printed is not the network that is described.
    assert build_squeezenet(bypass="complex").count_params() == 1_589_672


def test_bypass_adds_the_input():
    simple = {layer.name for layer in build_squeezenet(bypass="simple").layers}
    added = {name for name in simple if name.endswith("_add")}
    assert added == {"fire3_add", "fire5_add", "fire7_add", "fire9_add"}
    convolved = {layer.name for layer in build_squeezenet(bypass="complex").layers}
    assert {name for name in convolved if name.endswith("_bypass")} == {
        f"fire{index}_bypass" for index in (2, 4, 6, 8)
    }


@pytest.mark.parametrize(
    ("version", "border", "resolution", "side"),
    [
        ("1.0", "caffe", 227, 15),  # conv10 has padding 1
        ("1.0", "valid", 227, 13),
        ("1.0", "valid", 224, 12),
        ("1.1", "caffe", 227, 14),
        ("1.1", "valid", 227, 13),
    ],
)
def test_border(version, border, resolution, side):
    model = build_squeezenet(version, border=border, resolution=resolution)
    assert model.get_layer("conv10").output.shape == (None, side, side, 1000)


@pytest.mark.any_backend
@pytest.mark.parametrize("side", [6, 7, 8, 9])
def test_ceil_pooling_is_caffes(side):
    rng = np.random.default_rng(side)
    images = rng.normal(-3, 1, (2, side, side, 4)).astype("float32")
    inputs = keras.Input(images.shape[1:])
    model = keras.Model(inputs, ceil_max_pool(inputs, name="pool"))
    out = -(-(side - 3) // 2) + 1
    expected = np.stack(
        [
            [
                images[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3].max((1, 2))
                for x in range(out)
            ]
            for y in range(out)
        ]
    )
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model(images)), expected.transpose(2, 0, 1, 3)
    )


@pytest.mark.any_backend
def test_names_stock_layers_and_the_end():
    model = build_squeezenet(**SMALL)
    names = [layer.name for layer in model.layers]
    assert names[:4] == ["image", "conv1", "conv1_relu", "pool1"]
    assert {"fire2_squeeze", "fire9_expand1x1", "fire9_expand3x3"} < set(names)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    outputs = outputs_of(model, np.zeros((2, 67, 67, 3)))
    np.testing.assert_allclose(outputs.sum(1), 1, atol=1e-6)
    assert build_squeezenet(include_top=False, pooling="avg").output_shape == (
        None,
        512,
    )


@pytest.mark.any_backend
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.thorough)])
@pytest.mark.parametrize(
    "arguments",
    [
        *({"squeeze_ratio": ratio} for ratio in (0.125, 0.5, 1.0)),
        *({"bypass": bypass} for bypass in ("simple", "complex")),
        {"version": "1.1"},
    ],
)
def test_no_class_is_below_zero_at_the_start(arguments, seed):
    """Where all are, on all images, nothing learns: the loss stays at ln(classes)."""
    keras.utils.set_random_seed(seed)
    model = build_squeezenet(**arguments, classes=10, resolution=67)
    maps = keras.Model(model.input, model.get_layer("conv10").output)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 67, 67, 3)).astype("float32")
    passed = outputs_of(maps, images) > 0
    assert passed.any((0, 1, 2)).all()


@pytest.mark.any_backend
def test_save_and_load(tmp_path):
    model = build_squeezenet(bypass="complex", **SMALL)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    for name in ("model.keras", "model.weights.h5"):
        again = build_squeezenet(bypass="complex", **SMALL, weights=tmp_path / name)
        for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        with pytest.raises(ValueError, match=r"weights must be of version '1\.1', who"):
            build_squeezenet("1.1", **SMALL, weights=tmp_path / name)
    build_squeezenet(bypass="simple", **SMALL).save(tmp_path / "simple.keras")
    with pytest.raises(ValueError, match=r"it has 4 additions, 'squeezenet_1_0' 0"):
        build_squeezenet(**SMALL, weights=tmp_path / "simple.keras")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": "1.2"}, "version must be one of '1.0', '1.1', got '1.2'"),
        ({"version": ["1.0"]}, "version must be one of"),
        ({"bypass": "both"}, "bypass must be one of 'none', 'simple', 'complex', got"),
        ({"border": "same"}, "border must be one of 'caffe', 'valid'"),
        ({"pct_3x3": 1.1}, r"pct_3x3 must be a number in \[0, 1\], got 1.1"),
        ({"pct_3x3": float("nan")}, "pct_3x3 must be"),
        ({"squeeze_ratio": 0}, r"squeeze_ratio must be a number in \(0, 1\], got 0"),
        ({"squeeze_ratio": 1e-3}, "at least 0.5, or squeeze .*squeeze_ratio=0.001"),
        ({"base_e": 0}, "base_e must be an integer >= 1, got 0"),
        ({"incr_e": -1}, "incr_e must be an integer >= 0, got -1"),
        ({"freq": 0}, "freq must be an integer >= 1, got 0"),
        ({"classes": 0}, "classes must be an integer >= 1, got 0"),
        ({"dropout": 1}, r"dropout must be a number in \[0, 1\), got 1"),
        ({"resolution": 28}, "resolution must be an integer >= 29 pixels"),
        (
            {"resolution": 30, "version": "1.1", "border": "valid"},
            "resolution must be an integer >= 31 pixels for version '1.1'",
        ),
        ({"weights": "none.net"}, "weights must be an existing file"),
        ({"weights": "weights.pkl"}, "weights must be None or the path of a .h5"),
        ({"classifier_activation": "x"}, "classifier_activation must be None or the"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_squeezenet(**arguments)


@pytest.mark.any_backend
def test_least_resolutions_work():
    for version, border, side in (
        ("1.0", "caffe", 29),
        ("1.0", "valid", 35),
        ("1.1", "caffe", 25),
        ("1.1", "valid", 31),
    ):
        model = build_squeezenet(version, border=border, resolution=side, classes=2)
        assert model.output_shape == (None, 2)


@pytest.mark.any_backend
def test_all_or_no_3x3_filters():
    for share, missing in ((0.0, "fire2_expand3x3"), (1.0, "fire2_expand1x1")):
        model = build_squeezenet(pct_3x3=share, **SMALL)
        assert missing not in {layer.name for layer in model.layers}
