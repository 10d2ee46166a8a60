"""Damaged files: an error that says what is wrong, never other weights."""

import collections
import functools
import json
import tracemalloc

import hypothesis
import keras
import numpy as np
import pytest
from compressible import clustered, pruned
from damage import times
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import architecture_text, container, indices, tensors

KINDS = [*range(3), *range(16, 19)]
STRANGE = ["units", "filters", "axis", "groups", "kernel_size", "activation", "conv"]
STRANGE += ["", "relu", "same", "image", "dense", "Add", "Dense", "Lambda"]
STRANGE += [None, True, -1, 0, 1, 3, 10**9, 10**400, 0.5, -1e300, float("nan")]
STRANGE += [[], {}, [1, 1], [None, 4], [[1, 1], [1, 1]], ["image", "conv"]]
STRANGE += [{"class_name": "Dense", "config": {"units": 10**9}}]


def network():
    """A small network whose file has streams of several kinds."""
    images = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="conv")(images)
    x = keras.layers.BatchNormalization(center=False, scale=False, name="bn")(x)
    x = keras.layers.Dense(40, name="dense")(keras.layers.Flatten(name="flat")(x))
    model = keras.Model(images, x)
    dense = model.get_layer("dense")
    dense.set_weights([clustered(pruned(dense.get_weights()[0])), np.zeros(40)])
    return model


@pytest.fixture(scope="module")
def content():
    return codec.encode(network())


def weights_of(model):
    return b"".join(array.tobytes() for array in model.get_weights())


def outcome(damaged, expected):
    """Decode a damaged file: an error, or the weights that were written."""
    try:
        model = codec.decode(damaged, max_weights=1000)
    except ValueError:
        return "error"
    assert weights_of(model) == expected
    return "same weights"  # a name, a rate or another setting was damaged


def assert_rejected(damaged):
    with pytest.raises(ValueError, match=r"^(it|its) "):
        codec.decode(damaged)


def test_every_truncation_and_every_value_of_every_byte(content):
    """More than 150,000 files, all of them rejected by lengths and checksum."""
    assert len(content) > 600
    for index, original in enumerate(content):
        assert_rejected(content[:index])
        damaged = bytearray(content)
        for value in {*range(256)} - {original}:
            damaged[index] = value
            assert_rejected(bytes(damaged))


def test_replaced_and_added_bytes(content):
    @times(10)
    @given(st.integers(0, len(content)), st.binary(max_size=9), st.integers(0, 9))
    def check(start, added, removed):
        damaged = content[:start] + added + content[start + removed :]
        hypothesis.assume(damaged != content)
        assert_rejected(damaged)

    check()


def paths(tree, path=()):
    """The keys that lead to each value inside lists and dictionaries."""
    if isinstance(tree, list | dict):
        for key in range(len(tree)) if isinstance(tree, list) else tree:
            yield (*path, key)
            yield from paths(tree[key], (*path, key))


def with_value(tree, path, value, rename):
    """A copy of a tree with one value replaced, or its key, in a dictionary."""
    tree = json.loads(json.dumps(tree))
    parent = functools.reduce(lambda node, key: node[key], path[:-1], tree)
    if rename and isinstance(parent, dict):
        parent[str(value)] = parent.pop(path[-1])
    else:
        parent[path[-1]] = value
    return tree


def test_changed_architectures(content):
    """The checksum of the file is right, that of each tensor is not enough."""
    text, streams = container.unpack(content)
    tree, expected = json.loads(text), weights_of(codec.decode(content))
    outcomes = collections.Counter()

    def check(changed):
        outcomes[outcome(container.pack(changed, streams), expected)] += 1

    @times(7)
    @given(st.sampled_from([*paths(tree)]), st.sampled_from(STRANGE), st.booleans())
    def check_values(path, value, rename):
        check(json.dumps(with_value(tree, path, value, rename)))

    characters = st.sampled_from('"[]{},:-.019eE tfnà')
    edits = st.tuples(st.integers(0, len(text)), characters, st.booleans())

    @times(5)
    @given(st.lists(edits, min_size=1, max_size=3))
    def check_characters(edits):
        changed = text
        for index, character, replace in edits:
            changed = changed[:index] + character + changed[index + replace :]
        check(changed)

    check_values()
    check_characters()
    assert outcomes["error"] > outcomes.total() / 3
    assert outcomes["same weights"] > 0


@st.composite
def changed_streams(draw, originals):
    """The streams of a file with other words, kinds or order, their checksums kept."""
    streams = list(originals)
    for _ in range(draw(st.integers(1, 2))):
        index = draw(st.integers(0, len(streams) - 1))
        stream, other = streams[index], draw(st.sampled_from(streams))
        start = draw(st.integers(0, len(stream.content)))
        added, removed = draw(st.binary(max_size=12)), draw(st.integers(0, 12))
        spliced = stream.content[:start] + added + stream.content[start + removed :]
        kind, words = draw(
            st.sampled_from(
                [
                    (stream.kind, spliced),
                    (stream.kind, added * 4),
                    (other.kind, other.content),
                    *((kind, stream.content) for kind in (*KINDS, 3, 255)),
                ]
            )
        )
        streams[index] = container.Stream(kind, stream.checksum, words)
    return streams


def test_changed_streams(content, monkeypatch):
    """Each tensor has a checksum of its own, of its decoded weights."""
    cached = functools.lru_cache(maxsize=1)(architecture_text.build)
    monkeypatch.setattr(architecture_text, "build", cached)
    text, originals = container.unpack(content)
    expected = weights_of(codec.decode(content))
    outcomes = collections.Counter()

    @times(15)
    @given(changed_streams(originals))
    def check(streams):
        outcomes[outcome(container.pack(text, streams), expected)] += 1

    check()
    assert outcomes["error"] > outcomes.total() / 3


SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@times(15)
@given(st.sampled_from(KINDS), st.lists(st.binary(min_size=4, max_size=4)), SHAPES)
def test_streams_of_noise(kind, words, shape):
    """Any words are decoded to some tensor or refused; none crashes."""
    try:
        array = tensors.decode(kind, b"".join(words), shape, tensors.Models())
        assert array.shape == shape
    except ValueError as error:
        assert str(error).startswith("a ")


@times(2)
@given(st.lists(st.floats(width=32), min_size=1, max_size=40), st.data())
def test_any_tensor_comes_back(values, data):
    """Repeated values make codebooks and zeros likely."""
    repeated = data.draw(st.lists(st.sampled_from([0.0, *values]), max_size=200))
    array = np.array(values + repeated, "float32")
    kind, words = tensors.encode(array, tensors.Models())
    decoded = tensors.decode(kind, words, array.shape, tensors.Models())
    np.testing.assert_array_equal(decoded.view("uint32"), array.view("uint32"))


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
        indices.Symbols(count)._weights()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1e6
