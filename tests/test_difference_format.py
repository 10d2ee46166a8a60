"""Version 1 of the format of differences does not drift."""

import pytest
import second_patcher
from conftest import ROOT

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec.difference import container, running, table

FOLDER = ROOT / "tests" / "golden_difference"
OLD_NETWORK = ROOT / "tests" / "golden.mntc"
# A network that gets a class, in the unfolded form and in the expanded one, which is
# read only; and a file of bytes with all kinds of pieces and types.
PAIRS = {
    "unfolded.mntd": (OLD_NETWORK, FOLDER / "new.mntc"),
    "network.mntd": (OLD_NETWORK, FOLDER / "new.mntc"),
    "bytes.mntd": (FOLDER / "old.bin", FOLDER / "new.bin"),
}


def unpacked(name):
    return container.unpack((FOLDER / name).read_bytes(), 1 << 20)


@pytest.mark.parametrize("name", PAIRS)
def test_golden_differences_are_applied_as_ever(name, tmp_path):
    old, new = PAIRS[name]
    codec.apply(old, FOLDER / name, tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == new.read_bytes()


def test_a_golden_difference_is_written_as_ever(tmp_path):
    codec.delta(*PAIRS["unfolded.mntd"], tmp_path / "unfolded.mntd")
    content = (tmp_path / "unfolded.mntd").read_bytes()
    assert container.unpack(content, 1 << 20) == unpacked("unfolded.mntd")


def test_all_pieces_are_written_as_ever():
    old, new = (path.read_bytes() for path in PAIRS["bytes.mntd"])
    golden = unpacked("bytes.mntd")
    pieces, _ = table.read(golden.script, len(old), len(new))
    tensors = [piece.tensor for piece in pieces if piece.tensor]
    assert {piece.kind for piece in pieces} == set(range(5))
    assert {tensor.type for tensor in tensors} == set(range(3))
    assert {piece.values for piece in pieces} == set(range(5))
    assert running.encode(pieces, old, new) == (golden.script, golden.stream)


def test_a_reader_that_is_written_from_the_document():
    old, new = (path.read_bytes() for path in PAIRS["bytes.mntd"])
    assert second_patcher.apply((FOLDER / "bytes.mntd").read_bytes(), old) == new
    contents = [path.read_bytes() for path in PAIRS["network.mntd"]]
    for name, form in (
        ("network.mntd", second_patcher.expanded),
        ("unfolded.mntd", second_patcher.unfolded),
    ):
        old, new = (
            form(
                content, [array.shape for array in codec.decode(content).get_weights()]
            )
            for content in contents
        )
        assert second_patcher.apply((FOLDER / name).read_bytes(), old) == new
