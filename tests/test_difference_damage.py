"""Damaged differences: one error that names the file, never another network."""

import collections
import cProfile
import dataclasses
import struct

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_codec_damage import network, times

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec.difference import container, pieces, table

LIMIT = 1 << 20


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An old file, a new one, and their difference, by name."""
    folder = tmp_path_factory.mktemp("difference")
    old, new = network(), network()
    values = [
        np.where(w != 0, np.roll(w, 1, 0), 0) + (w.ndim == 1) * np.float32(0.5)
        for w in old.get_weights()
    ]
    new.set_weights(values)
    for name, model in (("old", old), ("new", new)):
        codec.save(model, folder / name)
    codec.delta(folder / "old", folder / "new", folder / "delta")
    return folder


def outcome(files, damaged, max_bytes=LIMIT):
    """Apply a damaged file: an error, or exactly the new file."""
    path, output = files / "damaged", files / "output"
    path.write_bytes(damaged)
    output.unlink(missing_ok=True)
    try:
        codec.apply(files / "old", path, output, max_bytes=max_bytes)
    except ValueError as error:
        assert str(path) in str(error)
        assert not output.exists()
        return "error"
    assert output.read_bytes() == (files / "new").read_bytes()
    return "the new file"


def test_every_truncation_and_every_byte(files):
    content = (files / "delta").read_bytes()
    for index in range(len(content)):
        assert outcome(files, content[:index]) == "error"
        for change in (1, 128, 255):
            damaged = bytearray(content)
            damaged[index] ^= change
            assert outcome(files, bytes(damaged)) == "error"


def test_changed_content_under_a_right_checksum(files, monkeypatch):
    from mobilenet_tf.codec import architecture_text

    cache = {}
    build = architecture_text.build

    def cached(text, max_weights):
        if text not in cache:
            cache[text] = build(text, max_weights)
        return cache[text]

    monkeypatch.setattr(architecture_text, "build", cached)
    whole = container.unpack((files / "delta").read_bytes(), LIMIT)
    outcomes = collections.Counter()

    @times(10)
    @given(
        st.sampled_from(["script", "stream"]),
        st.floats(0, 1),
        st.binary(max_size=6),
        st.integers(0, 6),
        st.sampled_from([0, 0, 0, 1, -1, 4, 10**5]),
        st.sampled_from(container.FORMS),
    )
    def check(field, place, added, removed, longer, form):
        content = getattr(whole, field)
        start = round(place * len(content))
        changed = content[:start] + added + content[start + removed :]
        damaged = dataclasses.replace(
            whole,
            **{field: changed},
            size=max(0, whole.size + longer),
            form=whole.form if place < 0.9 else form,
        )
        hypothesis.assume(len(container.pack(damaged)) < LIMIT)
        outcomes[outcome(files, container.pack(damaged))] += 1

    check()
    assert outcomes["error"] > outcomes.total() / 2


def number(value):
    writer = table.Writer()
    writer.number(value)
    return bytes(writer.content)


def test_claims_are_checked_before_they_take_memory_or_time(files):
    whole = container.unpack((files / "delta").read_bytes(), LIMIT)
    work = cProfile.Profile()
    work.enable()
    huge = dataclasses.replace(whole, size=1 << 50)
    assert outcome(files, container.pack(huge)) == "error"
    bomb = dataclasses.replace(whole, script=bytes(LIMIT + 1))
    assert outcome(files, container.pack(bomb)) == "error"
    many = dataclasses.replace(whole, script=number(1 << 40))
    assert outcome(files, container.pack(many)) == "error"
    # 2**22 rows of one channel each, in as many blocks, without a byte of the stream.
    flat = [pieces.TENSOR, pieces.FLOAT32 | 1 << 2, 2, 4 << 20, pieces.FLOATS, 0]
    script = b"".join(map(number, [1, *flat]))
    slow = dataclasses.replace(whole, script=script, size=32 << 20, stream=b"")
    assert outcome(files, container.pack(slow), 64 << 20) == "error"
    # An architecture of 2**23 numbers, as many blocks of zlib without a byte of text.
    numbers = (
        struct.pack("<2H", 0x78, 0x9C) + struct.pack("<4H", 0, 0, 0, 65535) * 2**21
    )
    after = struct.pack("<I", len(numbers)) + numbers
    script = b"".join(map(number, [1, pieces.LITERAL, len(after)])) + after
    unfolded = dataclasses.replace(
        whole,
        form=container.UNFOLDED,
        script=script,
        size=len(after),
        stream=b"",
    )
    assert outcome(files, container.pack(unfolded), 64 << 20) == "error"
    work.disable()
    assert sum(entry.callcount for entry in work.getstats()) < 200_000


def test_a_tensor_has_one_counterpart_or_none():
    matrix = [pieces.FLOAT32, 2, 4]
    for count in (0, 1, 2, 127):
        reference = [0, *matrix, 0] if count else []  # at the start, all channels
        numbers = [1, pieces.TENSOR, *matrix, pieces.FLOATS, count, *reference]
        script = b"".join(map(number, numbers))
        if count > 1:
            with pytest.raises(
                ValueError, match=f"one counterpart or none, got {count}"
            ):
                table.read(script, 32, 32)
        else:
            (piece,), end = table.read(script, 32, 32)
            assert (piece.reference is None) == (count == 0) and end == len(script)


def test_other_files_and_versions(files):
    content = (files / "delta").read_bytes()
    for damaged in (
        (files / "old").read_bytes(),
        content[:4] + b"\x02" + content[5:],
        b"",
    ):
        assert outcome(files, damaged) == "error"


@times(1)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_two_files(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("any")
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    codec.delta(folder / "old", folder / "new", folder / "delta")
    codec.apply(folder / "old", folder / "delta", folder / "again")
    assert (folder / "again").read_bytes() == new
