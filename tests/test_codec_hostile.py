"""Files made to harm: what they claim is checked before it takes memory or time."""

import json

import pytest

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import container, tensors

DENSE = ["Dense", "dense", ["image"], {"units": 5}]
IMAGE = ["InputLayer", "image", [], {"batch_shape": [None, 4]}]


def dense(**settings):
    return ["Dense", "d", ["image"], settings]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([IMAGE, ["Lambda", "x", ["image"], {"function": "open"}]], "Lambda"),
        ([IMAGE, ["__class__", "x", ["image"], {}]], "__class__"),
        ([IMAGE, dense(units=10**9)], "at most 67,108,864 weights"),
        ([IMAGE, dense(units=-3)], "units"),
        ([IMAGE, dense(units="many")], "no network"),
        ([IMAGE, dense(dtype="x")], "must have the settings"),
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
        context.setattr(container, "MOST_ARCHITECTURE", len(text))
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


def test_as_many_filters_as_a_short_file_can_claim():
    """A stream must hold what it claims; zeros, which take no bytes, are limited."""
    models, words = tensors.Models(), bytes(40)
    for kind, message in enumerate(("a stream ends", "codebook", "a stream ends")):
        with pytest.raises(ValueError, match=message):
            tensors.decode(kind, words, (1, 10**6), models)
    layers = [IMAGE, ["Dense", "dense", ["image"], {"units": 4 * 10**6}]]
    with pytest.raises(ValueError, match=r"at most 262,144 blocks .* got 1,000,000"):
        codec.decode(container.pack(json.dumps(["name", *layers]), []))
