"""Version 1 of the file format does not drift."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import second_decoder

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import container

# A small network that holds all kinds of tensors.
GOLDEN = Path(__file__).with_name("golden.mntc").read_bytes()
WEIGHTS = "08070192811cb2f18217a6fd30da55b7bed51803591a8083fc79941ead8abbe3"


def test_the_golden_file_is_read_and_written_as_ever():
    model = codec.decode(GOLDEN)
    weights = b"".join(array.astype("<f4").tobytes() for array in model.get_weights())
    assert hashlib.sha256(weights).hexdigest() == WEIGHTS
    text, streams = container.unpack(GOLDEN)
    assert {stream.kind for stream in streams} == {0, 1, 2, 16, 17, 18}
    assert container.unpack(codec.encode(model)) == (text, streams)


def test_a_decoder_that_is_written_from_the_document():
    weights, models = codec.decode(GOLDEN).get_weights(), second_decoder.Models()
    _, streams = container.unpack(GOLDEN)
    for stream, array in zip(streams, weights, strict=True):
        bits = second_decoder.tensor(stream.kind, stream.content, array.shape, models)
        np.testing.assert_array_equal(bits, array.view("uint32"))
