"""Archives that are whole, and yet not what they should be: one clear error each."""

import io
import json
import zipfile

import numpy as np
import pytest

import mobilenet_tf
from mobilenet_tf.data import arrays
from mobilenet_tf.files import archive
from mobilenet_tf.training import snapshot


def npy(array, **header):
    """An array as NumPy writes it, or with other entries in its header."""
    stream = io.BytesIO()
    fields = np.lib.format.header_data_from_array_1_0(array) | header
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue() + array.tobytes()


def header(values):
    return npy(np.frombuffer(json.dumps(values).encode(), "uint8"))


GOOD = {"header.npy": header({"epoch": 1}), "v00000.npy": npy(np.ones(3, "float32"))}


def write(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"header.npy": header([1, 2])}, "its header must be an object, got list"),
        ({"header.npy": b"{}"}, "magic string"),
        ({"v00000.npy": npy(np.ones(3), shape=(1 << 50,))}, r"not as long as float64"),
        ({"v00000.npy": npy(np.ones(3), shape=(2,))}, "v00000 is not as long as"),
        ({"v00000.npy": npy(np.ones(3), descr="|O")}, "v00000 is not as long as"),
        ({"v00000.npy": b"\x93NUMPY\x03\x00" + bytes(80)}, "must have version 1.0"),
        ({"other.txt": b"text"}, "no item named 'other.txt.npy'"),
    ],
)
def test_snapshots_of_another_content(tmp_path, members, message):
    path = tmp_path / "trial.npz"
    write(path, GOOD)
    values, metadata = snapshot.load(path)
    assert metadata == {"epoch": 1} and values[0].tolist() == [1, 1, 1]
    write(path, {**GOOD, **members})
    with pytest.raises(ValueError, match=rf"trial.npz' is damaged \(.*{message}.*dele"):
        snapshot.load(path)


def test_compressed_and_missing_members(tmp_path):
    path = tmp_path / "trial.npz"
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        write(path, GOOD, compression)
        with pytest.raises(ValueError, match="header claims to be compressed"):
            snapshot.load_metadata(path)
    write(path, {"v00000.npy": GOOD["v00000.npy"]})
    with pytest.raises(ValueError, match=r"no item named 'header\.npy'"):
        snapshot.load(path)
    assert snapshot.load(tmp_path / "nothing.npz") is None


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("evaluation_size", 41, "evaluation_images must be uint8"),
        ("side", 37, "train_images must be uint8"),
        ("format", 2, "its format must be 1"),
        ("name", ..., "no metadata of a data set.*name"),
    ],
)
def test_arrays_that_do_not_fit_their_header(
    stripes_file, tmp_path, field, value, message
):
    named, values = archive.load_arrays(stripes_file)
    values = {
        key: item for key, item in {**values, field: value}.items() if item is not ...
    }
    path = tmp_path / "images.npz"
    archive.save_arrays(path, named, values)
    with pytest.raises(ValueError, match=rf"images.npz' cannot be read \({message}"):
        arrays.load_arrays(path)


def test_a_network_that_unpacks_to_gigabytes(tmp_path):
    path = tmp_path / "bomb.keras"
    zeros = bytes(1 << 25)
    write(path, {"config.json": zeros}, zipfile.ZIP_DEFLATED)
    with pytest.raises(
        ValueError, match=r"bomb.keras' cannot be read: config.json cla"
    ):
        mobilenet_tf.load_model(path)


def test_unsupported_compression(tmp_path):
    """What another program can write, and Python cannot read."""
    path = tmp_path / "model.keras"
    write(path, {"config.json": b"{}"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 99
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model.keras' cannot be read: .*compression"):
        mobilenet_tf.load_model(path)


def test_members_that_are_hidden(tmp_path):
    """As by the wrong length of a comment, which takes the entries after it in."""
    path = tmp_path / "trial.npz"
    write(path, GOOD)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 32] = 60  # more than the other entry has
    path.write_bytes(content)
    assert len(zipfile.ZipFile(path).namelist()) == 1
    with pytest.raises(ValueError, match="it should have 2 members, but 1 are listed"):
        snapshot.load(path)
