"""Files of decoded arrays."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from conftest import ROOT
from prepared import load, prepare

from mobilenet_tf.data import arrays
from mobilenet_tf.data.dataset import DatasetMetadata


def test_arrays_file_round_trip(squares, tmp_path):
    path = tmp_path / "squares.npz"
    first, _ = load("squares", squares, arrays=path)
    again, line = load("squares", None, arrays=path)
    assert "arrays from" in line
    assert again.metadata == first.metadata
    np.testing.assert_array_equal(
        again.train.contents.images, first.train.contents.images
    )
    assert [file.name for file in tmp_path.iterdir()] == ["squares.npz"]


def test_metadata_is_what_records_hold():
    """Records keep their identity: every committed one is read and written the same."""
    folder = ROOT / "experiments" / "results"
    lines = [
        json.loads(line)
        for path in folder.glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    values = [line["data"] for line in lines if isinstance(line["data"], dict)]
    assert len(values) > 100
    for value in values:
        assert DatasetMetadata.from_json(value).to_json() == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 3}, "colour"),
        ({"side": ...}, "side"),
        ({"class_names": ...}, "names"),
    ],
)
def test_what_is_no_metadata(stripes, change, message):
    values = {**stripes.metadata.to_json(), **change}
    values = {key: value for key, value in values.items() if value is not ...}
    with pytest.raises(ValueError, match=f"no metadata of a data set.*{message}"):
        DatasetMetadata.from_json(values)


def test_only_arrays_are_saved(squares, tmp_path):
    stream, _ = load("squares", squares, mode="stream")
    with pytest.raises(ValueError, match="data must be in memory"):
        arrays.save_arrays(tmp_path / "squares.npz", stream)
    assert not list(tmp_path.iterdir())


def test_a_limited_split_by_name(squares, tmp_path):
    path = tmp_path / "squares.npz"
    for _ in range(2):  # written, then read
        data, _ = load("squares", squares, arrays=path, limit=10, train_split="train")
        assert data.train.size == 10
    with pytest.raises(ValueError, match="holds train_split 'train', but 'test' was"):
        load("squares", squares, arrays=path, limit=10, train_split="test")


def test_arrays_file_of_something_else(squares, tmp_path):
    path = tmp_path / "squares.npz"
    load("squares", squares, arrays=path)
    with pytest.raises(ValueError, match="holds name 'squares', but 'circles'"):
        load("circles", None, arrays=path)
    with pytest.raises(ValueError, match="holds limit None, but 5 was requested"):
        load("squares", None, arrays=path, limit=5)


@pytest.mark.parametrize("damage", ["cut", "flipped", "text"])
def test_damaged_arrays_file(squares, tmp_path, damage):
    path = tmp_path / "squares.npz"
    load("squares", squares, arrays=path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        content = b"no arrays"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="delete it to have it made again"):
        arrays.load_arrays(path)


def test_arrays_of_another_feature_are_refused(tmp_path):
    prepare(tmp_path, name="pairs", image2=tfds.features.Image(shape=(40, 40, 3)))
    arrays = str(tmp_path / "pairs.npz")
    load("pairs", str(tmp_path), image_key="image2", arrays=arrays)
    load("pairs", str(tmp_path), image_key="image2", arrays=arrays)
    with pytest.raises(ValueError, match="holds image_key 'image2', but None was req"):
        load("pairs", str(tmp_path), arrays=arrays)


def test_reading_arrays_and_folders_needs_no_tensorflow(stripes_file):
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from mobilenet_tf import data\n"
        "assert data.from_folder and 'tensorflow_datasets' not in sys.modules\n"
        "from mobilenet_tf.data.arrays import load_arrays\n"
        f"data = load_arrays({str(stripes_file)!r})\n"
        "assert data.train.size == 96 and data.metadata.name == 'stripes'\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=ROOT,
        env={"KERAS_BACKEND": "jax", "PATH": ""},
    )
