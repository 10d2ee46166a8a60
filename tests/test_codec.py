"""Compressed networks: back bit by bit, or an error that says what is wrong."""

import json
import struct
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
from conftest import ROOT

import mobilenet_tf

pytest.importorskip("constriction")

from mobilenet_tf.compression import architecture, codec
from mobilenet_tf.compression.codec import container, tensors
from mobilenet_tf.export import int8


def small(**options):
    options = {"classes": 3, "base_resolution": 32} | options
    return mobilenet_tf.build(0.25, **options)


def with_kernels(model, change):
    model.set_weights([change(w) if w.ndim > 1 else w for w in model.get_weights()])
    return model


def pruned(weights):
    return np.where(np.abs(weights) > np.quantile(np.abs(weights), 0.8), weights, 0.0)


def clustered(weights):
    return np.round(weights / np.abs(weights).max() * 15).astype("float32") / 15


def quantized(weights):
    channels = np.moveaxis(weights, -1 if weights.shape[-1] > 1 else -2, 0)
    scales = int8.best_scales(channels)
    found = int8.rounded(channels, scales).astype("float32")
    found *= scales.reshape(-1, *[1] * (weights.ndim - 1))
    return np.moveaxis(found, 0, -1 if weights.shape[-1] > 1 else -2)


def same_bits(first, second):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one.view("uint32"), other.view("uint32"))


NETWORKS = {
    "as built": small,
    "pruned": lambda: with_kernels(small(), pruned),
    "clustered": lambda: with_kernels(small(), clustered),
    "pruned and clustered": lambda: with_kernels(
        with_kernels(small(), pruned), clustered
    ),
    "int8": lambda: with_kernels(small(), quantized),
    "features": lambda: small(include_top=False),
    "squeezenet": lambda: mobilenet_tf.build_squeezenet(
        bypass="complex", classes=3, resolution=64
    ),
    "squeezenet 1.1": lambda: mobilenet_tf.build_squeezenet(
        "1.1", border="valid", classes=3, resolution=64, include_top=False
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name, tmp_path):
    model = NETWORKS[name]()
    path = tmp_path / "model.mntc"
    assert codec.save(model, path) == path.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == ["model.mntc"]
    loaded = codec.load(path)
    same_bits(model, loaded)
    assert [layer.name for layer in loaded.layers] == [
        layer.name for layer in model.layers
    ]
    images = np.random.default_rng(0).uniform(-1, 1, (2, *model.input_shape[1:]))
    np.testing.assert_array_equal(
        model.predict(images, verbose=0), loaded.predict(images, verbose=0)
    )


def test_bytes_follow_what_the_weights_hold():
    size = {name: len(codec.encode(NETWORKS[name]())) for name in NETWORKS}
    weights = small().count_params()
    assert 3.0 < size["as built"] / weights < 3.6  # 27 to 28 bits of float32
    assert size["int8"] / weights < 1.2
    assert size["clustered"] / weights < 0.8
    assert size["pruned and clustered"] / weights < 0.45


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3.4e38],
        [0.0] * 9,
        [-0.0] * 9,
        [1.5],
        [0.25] * 300 + [-0.5] * 300,
        [1.0, 2.0] * 40 + [0.0] * 1000,
        list(np.linspace(-1, 1, 1000)),
    ],
)
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1), (1, 1, -1, 1)])
def test_any_floats(values, shape):
    array = np.array(values, "float32").reshape(shape)
    kind, content = tensors.encode(array, tensors.Models())
    found = tensors.decode(kind, content, array.shape, tensors.Models())
    np.testing.assert_array_equal(found.view("uint32"), array.view("uint32"))


def test_the_authors_squeezenet(shared):
    """xz makes 559,656 bytes of the authors' file."""
    path = shared / "weights" / "squeezenet_v1.0_deep_compression.net"
    model = mobilenet_tf.build_squeezenet(weights=path)
    content = codec.encode(model)
    assert len(content) < 528_000
    same_bits(model, codec.decode(content))


def test_a_layer_that_cannot_be_written():
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, keras.layers.UpSampling2D(name="up")(images))
    with pytest.raises(ValueError, match="layer 'up' is a UpSampling2D"):
        codec.encode(model)
    lambda_layer = keras.layers.Lambda(lambda x: x, output_shape=(8, 8, 3))
    with pytest.raises(ValueError, match="is a Lambda"):
        codec.encode(keras.Model(images, lambda_layer(images)))


@pytest.fixture(scope="module")
def content():
    images = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Conv2D(3, 3, name="conv")(images)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.Dense(40, name="dense")(keras.layers.Flatten(name="flat")(x))
    model = keras.Model(images, x)
    dense = model.get_layer("dense")
    dense.set_weights([clustered(pruned(dense.get_weights()[0])), np.zeros(40)])
    return codec.encode(model)


def test_twenty_thousand_damaged_files(content):
    rng = np.random.default_rng(0)
    for kind in rng.integers(4, size=20_000):
        damaged = bytearray(content)
        place = rng.integers(len(content))
        if kind == 0:
            damaged[place] ^= int(rng.integers(1, 256))
        elif kind == 1:
            del damaged[place:]
        elif kind == 2:
            damaged += rng.bytes(1 + place % 9)
        else:
            damaged[place : place + 8] = rng.bytes(3)
        if bytes(damaged) == content:
            continue
        with pytest.raises(ValueError, match=r"it |its "):
            codec.decode(bytes(damaged))


def forged(content, rng):
    """Damaged where the checksum of the whole does not say so."""
    damaged = bytearray(content[:-4])
    for place in rng.integers(8, len(damaged), rng.integers(1, 4)):
        damaged[place] = rng.integers(256)
    return bytes(damaged) + struct.pack("<I", zlib.crc32(damaged))


def test_damage_behind_a_right_checksum(content):
    """Each tensor has a checksum of its own, of its decoded weights."""
    rng = np.random.default_rng(1)
    original = codec.decode(content)
    errors = 0
    for _ in range(200):
        try:
            same_bits(original, codec.decode(forged(content, rng)))
        except ValueError:
            errors += 1
        except AssertionError:  # a weight's name, a rate, or another setting was hit
            pytest.fail("a damaged file gave other weights")
    assert errors > 150


def test_streams_of_noise():
    """Any words are a stream of something; none crashes or takes long."""
    rng = np.random.default_rng(2)
    for _ in range(2000):
        kind = int(rng.choice([0, 1, 2, 0x10, 0x11, 0x12]))
        words = rng.bytes(4 * rng.integers(12))
        shape = tuple(rng.integers(1, 6, rng.integers(1, 5)))
        try:
            found = tensors.decode(kind, words, shape, tensors.Models())
            assert found.shape == shape
        except ValueError as error:
            assert str(error).startswith("a ")


DENSE = ["Dense", "dense", ["image"], {"units": 5}]
IMAGE = ["InputLayer", "image", [], {"batch_shape": [None, 4]}]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([IMAGE, ["Lambda", "x", ["image"], {"function": "open"}]], "Lambda"),
        ([IMAGE, ["__class__", "x", ["image"], {}]], "__class__"),
        ([IMAGE, ["Dense", "d", ["image"], {"units": 10**9}]], "more than 67,108,864"),
        ([IMAGE, ["Dense", "d", ["image"], {"units": -3}]], "units"),
        ([IMAGE, ["Dense", "d", ["image"], {"units": "many"}]], "no network"),
        ([IMAGE, ["Dense", "d", ["image"], {"dtype": "x"}]], "has no settings"),
        ([IMAGE, ["Dense", "d", ["d"], {"units": 2}]], "'d'"),
        ([IMAGE, DENSE, DENSE], "two layers have the name 'dense'"),
        ([DENSE], "no network"),
        ([], "no network"),
        ([IMAGE, DENSE], "fewer tensors than its architecture"),
        ([IMAGE, *[["Add", f"a{i}", ["image"], {}] for i in range(3000)]], "layers"),
    ],
)
def test_hostile_architectures(layers, message):
    packed = container.pack(json.dumps(["name", *layers]), [])
    with pytest.raises(ValueError, match=message):
        codec.decode(packed)


@pytest.mark.parametrize("text", ["", "{}", "null", "[" * 100_000, "a" * (1 << 21)])
def test_hostile_texts(text):
    with pytest.raises(ValueError, match=r"architecture|describes no network"):
        codec.decode(container.pack(text, []))


def test_other_files():
    with pytest.raises(ValueError, match="must begin with b'MNTC'"):
        codec.decode(b"PK\x03\x04" + bytes(40))
    with pytest.raises(ValueError, match="version must be 1, got 7"):
        codec.decode(b"MNTC\x07" + bytes(40))


def test_settings_that_are_not_defaults_come_back():
    model = small(activation="relu", dropout=0.25)
    text = architecture.describe(model)
    built, layers = architecture.build(text, 10**7)
    assert built.name == model.name
    for first, second in zip(model.layers, layers, strict=True):
        config, again = first.get_config(), second.get_config()
        for key in architecture.SETTINGS[type(first).__name__]:
            assert config[key] == again[key], (first.name, key)


def test_command_line(tmp_path):
    model = with_kernels(small(), clustered)
    model.save(tmp_path / "model.keras")

    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "mobilenet_tf.compression", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            check=False,
            text=True,
        )

    encoded = tmp_path / "model.mntc"
    done = command("encode", tmp_path / "model.keras", f"--output={encoded}")
    assert done.returncode == 0, done.stderr
    assert f"{encoded.stat().st_size:,} bytes" in done.stdout
    shown = command("inspect", encoded).stdout
    assert "stem/kernel" in shown
    assert "codebook" in shown
    again = tmp_path / "again.keras"
    assert command("decode", encoded, f"--output={again}").returncode == 0
    same_bits(model, keras.models.load_model(again))
    wrong = command("decode", tmp_path / "model.keras", f"--output={tmp_path / 'x'}")
    assert wrong.returncode == 1
    assert "is not a compressed network: it must begin with" in wrong.stderr
    assert "must be encode | decode | inspect" in command("encode").stderr
    assert "output must not exist" in command("decode", encoded, "--output=.").stderr
