"""Folders of photographs that make no data set: one error that names the files."""

import pytest
from folders import OPTIONS, picture, two_classes, write
from PIL import Image

from mobilenet_tf import data


@pytest.fixture
def folder(tmp_path):
    """Two classes of 10 and 6 photographs, and files that are passed over."""
    return two_classes(tmp_path / "photos")


def test_a_photograph_in_both_splits(tmp_path):
    write(tmp_path / "train", {"cat": 2, "dog": 2})
    write(tmp_path / "validation", {"cat": 1, "dog": 1}, start=3)  # 3 is a dog
    with pytest.raises(
        ValueError, match=r"1 photographs of validation/ (.|\n)*cat/0.png equals .*/1"
    ):
        data.from_folder(tmp_path, **OPTIONS)


def test_classes_that_differ(tmp_path):
    write(tmp_path / "train", {"cat": 2, "dog": 2})
    write(tmp_path / "validation", {"cat": 1, "cow": 1}, start=9)
    with pytest.raises(ValueError, match="only one of them has cow, dog"):
        data.from_folder(tmp_path, **OPTIONS)
    (tmp_path / "extra").mkdir()
    with pytest.raises(ValueError, match=r"there must be no other folders in .*extra"):
        data.from_folder(tmp_path, **OPTIONS)


def test_unreadable_files(folder):
    cut = (folder / "cat" / "0.png").read_bytes()[:500]
    (folder / "cat" / "cut.jpg").write_bytes(cut)
    (folder / "dog" / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"files: 2; (.|\n)*cut.jpg(.|\n)*text.png"):
        data.from_folder(folder, **OPTIONS)
    with pytest.warns(UserWarning, match="unreadable files left out: 2"):
        photos = data.from_folder(folder, skip_unreadable=True, **OPTIONS)
    assert photos.train.size + photos.evaluation.size == 16


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"cat": 3}, "at least two folders, one per class, got cat"),
        (
            {"cat": 3, "cow": 0},
            r"each class must have images(.|\n)*cow",
        ),
        ({"cat": 3, "cow": 1}, "at least 2 different images, but 'cow' has 1"),
        ({}, "at least two folders, one per class, got none"),
    ],
)
def test_folders_without_enough_photographs(tmp_path, counts, message):
    write(tmp_path, counts)
    with pytest.raises(ValueError, match=message):
        data.from_folder(tmp_path, **OPTIONS)


def test_bad_arguments_of_folders(folder):
    with pytest.raises(ValueError, match=r"validation must be a number in \(0, 1\)"):
        data.from_folder(folder, 1.0)
    with pytest.raises(ValueError, match="seed must be an integer >= 0, got -1"):
        data.from_folder(folder, seed=-1)
    with pytest.raises(ValueError, match="path must be an existing folder, got"):
        data.from_folder(folder / "nowhere")
    with pytest.raises(ValueError, match="mode must be one of 'auto', 'arrays'"):
        data.from_folder(folder, mode="memory")
    Image.fromarray(picture(0)).save(folder / "stray.png")
    with pytest.raises(ValueError, match=r"named by their class(.|\n)*stray\.png"):
        data.from_folder(folder, **OPTIONS)
