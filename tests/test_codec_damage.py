"""Damaged and hostile files: an error that says what is wrong, never other weights."""

import json
import struct
import time
import tracemalloc
import zlib

import keras
import numpy as np
import pytest
from compressible import clustered, pruned, same_bits

pytest.importorskip("constriction")

from mobilenet_tf.compression import codec
from mobilenet_tf.compression.codec import container, masks, places, tensors


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


@pytest.mark.parametrize("values", [[1.5] * 9, [0.0, 2.0, 0.0], list(range(40))])
def test_streams_end_with_their_last_weight(values):
    array = np.array(values, "float32")
    kind, words = tensors.encode(array, tensors.Models())
    for wrong in (words + bytes(4), words + bytes(8), words[:-4]):
        with pytest.raises(ValueError, match=r"a stream |a codebook"):
            tensors.decode(kind, wrong, array.shape, tensors.Models())


def test_codebooks_of_all_sizes_leave_no_memory_taken():
    tracemalloc.start()
    for count in range(900, 1025):
        places.Symbols(count)._weights()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1e6


def test_as_many_filters_as_a_short_file_can_claim():
    """A stream must hold what it claims; zeros, which take no room, stay quick."""
    models, words = tensors.Models(), bytes(40)
    start = time.process_time()
    for kind in (0, 1, 2):
        with pytest.raises(ValueError, match=r"a stream ends before|codebook"):
            tensors.decode(kind, words, (1, 10**6), models)
    density = masks._Density(10**7, 1)
    for _ in range(100):
        density.odds(slice(0, 8), slice(0, 1))
    assert time.process_time() - start < 1
    layers = [IMAGE, ["Dense", "dense", ["image"], {"units": 4 * 10**6}]]
    with pytest.raises(ValueError, match=r"at most 262,144 blocks .* got 1,000,000"):
        codec.decode(container.pack(json.dumps(["name", *layers]), []))


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
