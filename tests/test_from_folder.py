"""Data sets from folders of photographs."""

import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mobilenet_tf import data
from mobilenet_tf.data.file_split import FileSplit
from mobilenet_tf.data.splitting import split_by_content
from mobilenet_tf.data.storage import stored
from mobilenet_tf.models import keras_file

OPTIONS = {"base_resolution": 28, "report": lambda line: None}


def picture(seed, size=(40, 48)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")


def write(folder, counts, start=0):
    """PNG files of different content, so many in the folder of each class."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(picture(start)).save(folder / name / f"{number}.png")
            start += 1


@pytest.fixture
def folder(tmp_path):
    """Two classes of 10 and 6 photographs, and files that are passed over."""
    photos = tmp_path / "photos"
    write(photos, {"cat": 10, "dog": 6})
    (photos / ".DS_Store").write_bytes(b"")
    (photos / "cat" / ".DS_Store").write_bytes(b"")
    (photos / ".cache").mkdir()
    return photos


def test_folder(folder):
    lines = []
    photos = data.from_folder(
        folder, validation=0.2, base_resolution=28, report=lines.append
    )
    assert (photos.classes, photos.class_names) == (2, ("cat", "dog"))
    assert (photos.train.size, photos.evaluation.size) == (13, 3)
    assert np.bincount(photos.evaluation.contents.labels).tolist() == [2, 1]
    assert photos.side == 32
    (batch,) = photos.train.epoch(20)
    np.testing.assert_allclose(batch.aspects, 48 / 40)
    assert lines[0].startswith(f"data: photos {photos.metadata.version}, 2 classes")
    again = data.from_folder(folder, 0.2, **OPTIONS)
    assert again.metadata == photos.metadata
    other = data.from_folder(folder, 0.2, seed=1, **OPTIONS)
    assert other.metadata.version != photos.metadata.version


def test_streamed_folder_gives_the_same_batches(folder):
    in_memory = data.from_folder(folder, mode="arrays", **OPTIONS)
    stream = data.from_folder(folder, memory_budget_bytes=1, **OPTIONS)
    for seed in (None, 3):
        pairs = zip(
            in_memory.train.epoch(4, seed), stream.train.epoch(4, seed), strict=True
        )
        for held, read in pairs:
            for field in ("images", "aspects", "labels"):
                np.testing.assert_array_equal(
                    getattr(held, field), getattr(read, field)
                )


def test_decoded_images_are_kept_in_a_file(folder, tmp_path, monkeypatch):
    path = tmp_path / "photos.npz"
    first = data.from_folder(folder, arrays=path, **OPTIONS)
    with monkeypatch.context() as patch:
        patch.setattr(FileSplit, "decode", None)  # it would fail
        again = data.from_folder(folder, arrays=path, **OPTIONS)
    assert again.metadata == first.metadata
    assert again.train_digests == first.train_digests
    contents = (split.train.contents.images for split in (first, again))
    np.testing.assert_array_equal(*contents)
    Image.fromarray(picture(99)).save(folder / "cat" / "new.png")
    with pytest.raises(ValueError, match="holds other images, labels or sizes"):
        data.from_folder(folder, arrays=path, **OPTIONS)


def trained_on(photos):
    """A network that has been trained on a data set."""
    model = keras.Sequential()
    info = keras_file.TrainingInfo(photos.class_names, "photos", photos.train_digests)
    keras_file.set_training_info(model, info)
    return model


def test_a_network_knows_its_training_photographs(folder):
    photos = data.from_folder(folder, 0.3, mode="stream", **OPTIONS)
    model = trained_on(photos)
    again = data.from_folder(folder, mode="stream", model=model, **OPTIONS)
    assert again.metadata == photos.metadata
    # Renamed and joined by others, they are still known.
    for file in photos.train.files:
        file.rename(file.with_stem(f"renamed{file.stem}"))
    for number in range(2):
        Image.fromarray(picture(200 + number)).save(folder / "dog" / f"new{number}.png")
    more = data.from_folder(folder, mode="stream", model=model, **OPTIONS)
    assert set(more.train_digests) == set(photos.train_digests)
    assert more.evaluation.size == photos.evaluation.size + 2


def test_other_photographs_of_a_networks_classes(folder, tmp_path):
    model = trained_on(data.from_folder(folder, **OPTIONS))
    write(tmp_path / "new", {"dog": 3}, start=300)
    new = data.from_folder(tmp_path / "new", model=model, **OPTIONS)
    assert (new.train.size, new.evaluation.size) == (0, 3)
    assert new.class_names == ("cat", "dog")
    assert new.evaluation.contents.labels.tolist() == [1, 1, 1]
    write(tmp_path / "new", {"cow": 1}, start=400)
    with pytest.raises(ValueError, match=r"but these are not:\n +cow"):
        data.from_folder(tmp_path / "new", model=model, **OPTIONS)
    (tmp_path / "empty" / "dog").mkdir(parents=True)
    with pytest.raises(ValueError, match="there are no photographs in"):
        data.from_folder(tmp_path / "empty", model=model, **OPTIONS)


def test_an_epoch_can_be_left_early(folder):
    stream = data.from_folder(folder, mode="stream", **OPTIONS)
    assert len(next(stream.train.epoch(2, seed=0))) == 2


def test_scaling_is_that_of_tensorflow():
    """TFDS images are scaled by TensorFlow, all others by pillow."""
    image = picture(0, (50, 70))
    resized = tf.image.resize(image, (32, 32), antialias=True).numpy()
    ours = stored(image, 32).transpose(0, 2, 1).astype("float32")
    assert np.abs(ours - resized).max() <= 1.5  # pillow rounds between both passes


@pytest.mark.parametrize("evaluation", ["validation", "val", "test"])
def test_folders_of_both_splits(tmp_path, evaluation):
    write(tmp_path / "train", {"cat": 3, "dog": 2})
    write(tmp_path / evaluation, {"cat": 1, "dog": 1}, start=100)
    photos = data.from_folder(tmp_path, **OPTIONS)
    assert (photos.train.size, photos.evaluation.size) == (5, 2)
    assert photos.metadata.evaluation_split == evaluation


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


def test_equal_files_of_a_folder_stay_on_one_side(folder):
    for number in range(6):
        content = (folder / "dog" / f"{number}.png").read_bytes()
        (folder / "dog" / f"copy{number}.png").write_bytes(content)
    photos = data.from_folder(folder, 0.3, mode="stream", **OPTIONS)
    sides = [
        {file.read_bytes() for file in split.files}
        for split in (photos.train, photos.evaluation)
    ]
    assert sum(map(len, sides)) == 16 and not sides[0] & sides[1]
    (folder / "cat" / "dog.png").write_bytes(content)
    with pytest.warns(UserWarning, match=r"2 photographs lie in two (.|\n)*equals"):
        data.from_folder(folder, **OPTIONS)  # of dog/5.png there are two copies


@given(
    contents=st.lists(st.integers(0, 30), min_size=4),
    validation=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_split_by_content(contents, validation, seed):
    """Every image is on one side, equal ones together, each class on both."""
    contents += [0, 2, 1, 3]  # two even, two odd: the classes
    digests = [f"content {content}" for content in contents]
    labels = [content % 2 for content in contents]
    names = ("even", "odd")
    train, held_out = split_by_content(digests, labels, names, validation, seed)
    assert sorted([*train, *held_out]) == list(range(len(contents)))
    sides = [{contents[row] for row in side} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert all({content % 2 for content in side} == {0, 1} for side in sides)


def test_the_face_needs_no_tensorflow():
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from mobilenet_tf import data\n"
        "assert data.from_folder and 'tensorflow_datasets' not in sys.modules\n"
    )
    environment = {"KERAS_BACKEND": "jax", "PATH": ""}
    subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, env=environment
    )


def test_nothing_is_warned_of_good_folders(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.from_folder(folder, **OPTIONS)
