"""Damaged and hostile files: an error that says what is wrong, never other weights."""

import copy
import functools
import json
import tracemalloc

import keras
import numpy as np
import pytest
from compressible import clustered, pruned

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import architecture_text, container, places, tensors


@pytest.fixture(scope="module")
def content():
    images = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="conv")(images)
    x = keras.layers.BatchNormalization(center=False, scale=False, name="bn")(x)
    x = keras.layers.Dense(40, name="dense")(keras.layers.Flatten(name="flat")(x))
    model = keras.Model(images, x)
    dense = model.get_layer("dense")
    dense.set_weights([clustered(pruned(dense.get_weights()[0])), np.zeros(40)])
    return codec.encode(model)


def test_damaged_files(content):
    rng = np.random.default_rng(0)
    for kind in rng.integers(4, size=5000):
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


def hit(rng, text):
    """Some characters of a text are others."""
    for place in rng.integers(len(text), size=rng.integers(1, 4)):
        character = rng.choice(list('"[]{},:-.019eE tfnà'))
        text = text[:place] + character + text[place + rng.integers(2) :]
    return text


VALUES = [
    *(None, True, False, -1, 0, 1, 2, 3, 10**9, 10**400, 0.5, -1e300, float("nan")),
    *("", "relu", "same", "image", "conv", "dense", "Add", "Dense", "Lambda"),
    *("units", "filters", "axis", "groups", "kernel_size", "activation"),
    *([], {}, [1, 1], [None, 4], [[1, 1], [1, 1]], ["image"], ["image", "conv"]),
    {"class_name": "Dense", "config": {"units": 10**9}},
]


def exchanged(rng, tree):
    """A tree of lists and settings with one of its values or names exchanged."""
    tree = copy.deepcopy(tree)
    parent, key = None, None
    while parent is None or (rng.random() < 0.8 and tree_of(parent[key])):
        parent = tree if parent is None else parent[key]
        key = list(tree_of(parent))[rng.integers(len(parent))]
    value = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    if rng.random() < 0.7:
        parent[key] = value
    elif isinstance(parent, dict):
        parent[str(value)] = parent.pop(key)
    else:
        parent.insert(rng.integers(len(parent)), parent.pop(key))
    return tree


def tree_of(value):
    return (
        range(len(value))
        if isinstance(value, list)
        else isinstance(value, dict) and value
    )


def forged_texts(content, rng, count):
    text, streams = container.unpack(content)
    for number in range(count):
        if number % 2:
            yield container.pack(hit(rng, text), streams)
        else:
            yield container.pack(json.dumps(exchanged(rng, json.loads(text))), streams)


def forged_streams(content, rng, count):
    """Other words, kinds and orders of the streams."""
    text, originals = container.unpack(content)
    for _ in range(count):
        streams = list(originals)
        for place in rng.integers(len(streams), size=rng.integers(1, 3)):
            one, other = streams[place], streams[rng.integers(len(streams))]
            kind, words = one.kind, one.content
            at = rng.integers(len(words) + 1)
            kind, words = [
                (int(rng.choice([*range(4), *range(16, 20), 255])), words),
                (kind, rng.bytes(4 * rng.integers(12))),
                (kind, words + rng.bytes(rng.integers(1, 9))),
                (kind, words[:at]),
                (kind, words[:at] + rng.bytes(1) + words[at + 1 :]),
                (other.kind, other.content),
            ][rng.integers(6)]
            streams[place] = container.Stream(kind, one.checksum, words)
        yield container.pack(text, streams)


@pytest.mark.parametrize(
    ("forged", "count"), [(forged_texts, 1000), (forged_streams, 4000)]
)
def test_damaged_files_with_a_right_checksum(content, forged, count, monkeypatch):
    """Each tensor has a checksum of its own, of its decoded weights."""
    cached = functools.lru_cache(maxsize=1)(architecture_text.build)
    monkeypatch.setattr(architecture_text, "build", cached)
    expected = bits(codec.decode(content))
    errors = 0
    for damaged in forged(content, np.random.default_rng(1), count):
        try:
            found = bits(codec.decode(damaged, max_weights=1000))
        except ValueError:
            errors += 1
        else:  # a name, a rate, or another setting was hit
            assert found == expected
    assert 0.8 * count < errors < count


def bits(model):
    return b"".join(array.tobytes() for array in model.get_weights())


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
    for kind in (0, 1, 2):
        with pytest.raises(ValueError, match=r"a stream ends before|codebook"):
            tensors.decode(kind, words, (1, 10**6), models)
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
        (
            [IMAGE, ["Dense", "d", ["image"], {"units": 10**9}]],
            "at most 67,108,864 weights",
        ),
        ([IMAGE, ["Dense", "d", ["image"], {"units": -3}]], "units"),
        ([IMAGE, ["Dense", "d", ["image"], {"units": "many"}]], "no network"),
        ([IMAGE, ["Dense", "d", ["image"], {"dtype": "x"}]], "must have the settings"),
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


@pytest.mark.parametrize("text", ["", "{}", "null", "[" * 100_000, "a" * (1 << 20)])
def test_hostile_texts(text):
    with pytest.raises(ValueError, match="describes no network"):
        codec.decode(container.pack(text, []))


def test_longer_texts_than_a_reader_allows(monkeypatch):
    text = "a" * (1 + (1 << 20))
    with pytest.raises(ValueError, match="at most 1,048,576 bytes, got 1,048,577"):
        container.pack(text, [])
    with monkeypatch.context() as context:
        context.setattr(container, "_MOST_ARCHITECTURE", len(text))
        packed = container.pack(text, [])
    with pytest.raises(ValueError, match="architecture is cut, too long, or not alone"):
        codec.decode(packed)


def test_other_files():
    with pytest.raises(ValueError, match="must begin with b'MNTC'"):
        codec.decode(b"PK\x03\x04" + bytes(40))
    with pytest.raises(ValueError, match="version must be 1, got 7"):
        codec.decode(b"MNTC\x07" + bytes(40))
    with pytest.raises(ValueError, match="sixth byte must be zero, got 9"):
        codec.decode(b"MNTC\x01\x09" + bytes(40))
