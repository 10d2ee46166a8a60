"""Data sets from folders of photographs."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from folders import OPTIONS, picture, two_classes, write
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mobilenet_tf import data
from mobilenet_tf.data.file_split import FileSplit
from mobilenet_tf.data.splitting import split_by_content
from mobilenet_tf.data.storage import stored
from mobilenet_tf.models import keras_file


@pytest.fixture
def folder(tmp_path):
    """Two classes of 10 and 6 photographs, and files that are passed over."""
    return two_classes(tmp_path / "photos")


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


def test_training_goes_on_with_a_grown_folder(folder):
    photos = data.from_folder(folder, 0.3, mode="stream", **OPTIONS)
    model = trained_on(photos)
    write(folder, {"cat/new": 20, "dog/new": 20}, start=500)
    grown = data.from_folder(folder, 0.3, mode="stream", continue_from=model, **OPTIONS)
    assert not set(grown.evaluation_digests) & set(photos.train_digests)
    assert set(grown.train_digests) > set(photos.train_digests)
    assert grown.evaluation.size == round(0.3 * 30) + round(0.3 * 26)
    for file in set(folder.rglob("*.png")) - set(photos.train.files):
        file.unlink()
    with pytest.raises(ValueError, match="not trained on, but 'cat' has none"):
        data.from_folder(folder, continue_from=model, **OPTIONS)


@given(contents=st.sets(st.integers(), min_size=20, max_size=60), seed=st.integers(0))
def test_a_new_image_moves_at_most_one_other(contents, seed):
    *before, new = (f"content {content}" for content in contents)
    sides = []
    for digests in (before, [*before, new]):
        _, rows = split_by_content(digests, [0] * len(digests), ("all",), 0.3, seed)
        sides.append({digests[row] for row in rows} - {new})
    assert len(sides[0] ^ sides[1]) <= 1


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


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [("train", "validation"), ("train", "val"), ("Training", "Testing")],
)
def test_folders_of_both_splits(tmp_path, train, evaluation):
    write(tmp_path / train, {"cat": 3, "dog": 2})
    write(tmp_path / evaluation, {"cat": 1, "dog": 1}, start=100)
    photos = data.from_folder(tmp_path, **OPTIONS)
    assert (photos.train.size, photos.evaluation.size) == (5, 2)
    assert photos.metadata.evaluation_split == evaluation


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


def test_nothing_is_warned_of_good_folders(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.from_folder(folder, **OPTIONS)
