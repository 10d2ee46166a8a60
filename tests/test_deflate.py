"""A zlib stream and its numbers: one gives the other, whatever zlib has written it."""

import random
import struct
import zlib

import pytest
import second_deflate
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import container
from mobilenet_tf.codec.difference import container as differences
from mobilenet_tf.codec.difference import deflate

GOLDEN = ROOT / "tests" / "golden.mntc"
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
STREAM = zlib.compress(b'["Conv2D","block1_pointwise",{"filters":64}],' * 20, 9)


def compressed(text, level, strategy, flush=zlib.Z_FINISH):
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, 8, strategy)
    half = packer.compress(text[: len(text) // 2])
    if flush != zlib.Z_FINISH:
        half += packer.flush(flush)
    return half + packer.compress(text[len(text) // 2 :]) + packer.flush()


@given(
    st.one_of(st.binary(max_size=300), st.text("ab", max_size=300).map(str.encode)),
    st.integers(0, 9),
    st.sampled_from(STRATEGIES),
    st.sampled_from([zlib.Z_FINISH, zlib.Z_FULL_FLUSH]),
)
def test_streams_of_all_kinds(text, level, strategy, flush):
    stream = compressed(text, level, strategy, flush)
    numbers = deflate.unfold(stream)
    assert numbers == second_deflate.numbers(stream)
    assert deflate.fold(numbers) == stream


def test_a_long_text():
    words = ["Conv2D", "ReLU", "block", "filters", "64", "pointwise"]
    text = " ".join(random.Random(0).choices(words, k=8_000)).encode()
    stream = zlib.compress(text, 9)
    assert deflate.fold(deflate.unfold(stream)) == stream


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_damaged_streams(place, change):
    """Another stream of other numbers, or an error."""
    damaged = bytearray(STREAM)
    damaged[place] ^= change
    for stream in (bytes(damaged), STREAM[:place], STREAM + bytes([change])):
        try:
            numbers = deflate.unfold(stream)
        except ValueError:
            continue
        assert deflate.fold(numbers) == stream


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 65_535))
def test_damaged_numbers(place, value):
    numbers = bytearray(deflate.unfold(STREAM))
    start = 2 * int(place * (len(numbers) // 2))
    numbers[start : start + 2] = value.to_bytes(2, "little")
    for damaged in (bytes(numbers), bytes(numbers[: start + 1])):
        try:
            stream = deflate.fold(damaged)
        except ValueError as error:
            assert str(error).startswith("its architecture ")
            continue
        assert isinstance(stream, bytes)


def test_numbers_without_end(monkeypatch):
    """Blocks of no bytes."""
    head, block = struct.pack("<2H", 0x78, 0x9C), struct.pack("<4H", 0, 0, 0, 0xFFFF)
    message = "its architecture must have at most .* bytes of numbers"
    with pytest.raises(ValueError, match=message):
        deflate.fold(head + block * (16 * deflate.MOST_BYTES // len(block)))
    monkeypatch.setattr(deflate, "MOST_BYTES", 4000)
    for count, error in ((400, "its architecture is cut"), (500, message)):
        with pytest.raises(ValueError, match=error):
            deflate.fold(head + block * count)
        with pytest.raises(ValueError, match=error):
            deflate.unfold(b"\x78\x9c" + b"\0\0\0\xff\xff" * count)


def test_all_texts_of_an_architecture_are_within_the_limit():
    """The most numbers for a byte: matches of three bytes, here far from each other."""
    rng = random.Random(0)
    words = [rng.randbytes(3) for _ in range(2000)]
    text = b"".join(rng.choices(words, k=5000))
    numbers = deflate.unfold(zlib.compress(text, 9))
    assert len(numbers) / len(text) < deflate.MOST_BYTES / container.MOST_ARCHITECTURE


def test_an_architecture_that_another_zlib_has_packed(tmp_path):
    """It is rebuilt as it was, which compressing its text again would not do."""
    text, streams = container.unpack(GOLDEN.read_bytes())
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(GOLDEN.read_bytes())
    new.write_bytes(
        container.join(compressed(text.encode(), 1, STRATEGIES[0]), streams)
    )
    assert old.read_bytes() != new.read_bytes()
    codec.delta(old, new, tmp_path / "delta")
    content = (tmp_path / "delta").read_bytes()
    assert differences.unpack(content, 1 << 20).form == differences.UNFOLDED
    codec.apply(old, tmp_path / "delta", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == new.read_bytes()
