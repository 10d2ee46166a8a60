"""Data sets as TFDS keeps them: what is inferred, and what is refused."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from prepared import load, prepare

import mobilenet_tf
from mobilenet_tf.data.dataset import is_named
from mobilenet_tf.data.tfds_features import image_feature, label_feature
from mobilenet_tf.training.classifier import fit
from mobilenet_tf.training.recipes import PLAIN


def test_everything_is_inferred(squares):
    data, line = load("squares", squares)
    assert data.metadata.to_json() == {
        "name": "squares",
        "version": "1.0.0",
        "train_split": "train",
        "evaluation_split": "validation",
        "train_size": 60,
        "evaluation_size": 20,
        "class_names": ["dark", "bright"],
        "side": 40,
        "base_resolution": 40,
        "limit": None,
    }
    assert "2 classes, train 60, validation 20, 40 px, arrays in memory" in line


def test_streams_and_arrays_hold_the_same_images(squares):
    in_memory, _ = load("squares", squares, mode="arrays")
    stream, line = load("squares", squares, mode="stream")
    assert "decoded in every epoch" in line
    ours = list(in_memory.evaluation.epoch(8))
    theirs = list(stream.evaluation.epoch(8))
    assert [len(batch) for batch in ours] == [8, 8, 4]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
    assert ours[0].images.shape == (8, 40, 3, 40)


def test_auto_keeps_to_the_budget(squares):
    _, line = load("squares", squares, memory_budget_bytes=80 * 40 * 40 * 3)
    assert "arrays in memory" in line
    _, line = load("squares", squares, memory_budget_bytes=80 * 40 * 40 * 3 - 1)
    assert "decoded in every epoch" in line


def test_unequal_images_are_scaled_to_squares_and_keep_their_aspect(tmp_path):
    prepare(tmp_path, shape=(None, 40, 3))
    data, _ = load("squares", str(tmp_path), base_resolution=28)
    batch = next(data.train.epoch(3))
    assert batch.images.shape == (3, 32, 3, 32)
    np.testing.assert_allclose(batch.aspects, [40 / 40, 40 / 48, 40 / 56])


def test_images_are_not_stored_larger_than_they_are(squares):
    assert load("squares", squares, base_resolution=224)[0].side == 40
    assert load("squares", squares, base_resolution=32)[0].side == 37  # 32 / 0.875


def test_limit(squares):
    data, _ = load("squares", squares, limit=10)
    assert (data.train.size, data.evaluation.size) == (10, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "no_such_set"}, "name must be a TFDS data set.*'no_such_set'"),
        (
            {"train_split": "training"},
            r"train_split must be a split of 'squares' \(train, ",
        ),
        ({"evaluation_split": "train[:0]"}, "'train.:0.' of 'squares' has no examples"),
        ({"image_key": "picture"}, r"image_key must be one of .*\(image\), got 'pict"),
        ({"label_key": "image"}, r"label_key must be one of .*\(label\), got 'image'"),
        ({"limit": 0}, "limit must be a positive number"),
        ({"limit": 5, "evaluation_split": "all"}, "for whole splits, got 5 for 'all'"),
        ({"limit": 5, "train_split": "train+validation"}, "limit must be a positive"),
        (
            {"train_split": "train", "evaluation_split": "train[90%:]"},
            "evaluation_split must have no images of train_split",
        ),
        (
            {"base_resolution": 64.5},
            "base_resolution must be an integer .* got 64.5",
        ),
        ({"mode": "memory"}, "mode must be one of 'auto', 'arrays', 'stream'"),
    ],
)
def test_bad_arguments(squares, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(**{"name": "squares", "data_dir": squares, **arguments})


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_rgba_images(tmp_path, channels):
    prepare(tmp_path, shape=(40, 40, channels))
    with pytest.raises(ValueError, match=f"has {channels} channels.*to_rgb=True"):
        load("squares", str(tmp_path))
    data, _ = load("squares", str(tmp_path), to_rgb=True)
    images = data.train.contents.images
    assert images.shape[2] == 3
    if channels == 1:
        np.testing.assert_array_equal(images[:, :, 0], images[:, :, 2])


@pytest.mark.parametrize(
    "name", ["imagenet2012", "imagenette/160px-v2", "cifar10", "stanford_dogs", "mnist"]
)
def test_features_of_well_known_sets_are_found(name):
    features = tfds.builder(name).info.features
    label = label_feature(name, features)
    assert (image_feature(name, features), label.key) == ("image", "label")
    assert not label.multi_label


def test_set_that_must_be_downloaded_by_hand(tmp_path):
    with pytest.raises(ValueError, match=r"imagenet2012' is not prepared .*manual"):
        load("imagenet2012", str(tmp_path))


def test_a_set_is_not_prepared_where_that_is_not_wanted(tmp_path):
    from mobilenet_tf.data import embedded

    name = embedded.Vignettes.name
    with pytest.raises(ValueError, match=rf"^data set '{name}' is not prepared in '"):
        mobilenet_tf.data.from_tfds(name, str(tmp_path), download=False)
    assert not list(tmp_path.rglob("*"))


def test_two_images_need_a_choice(tmp_path):
    prepare(tmp_path, name="pairs", image2=tfds.features.Image(shape=(40, 40, 3)))
    assert load("pairs", str(tmp_path))[0].classes == 2  # "image" goes without saying
    assert load("pairs", str(tmp_path), image_key="image2")[0].classes == 2


def test_images_of_16_bits_are_refused(tmp_path):
    features = {
        "image": tfds.features.Image(shape=(40, 40, 1), dtype=np.uint16),
        "label": tfds.features.ClassLabel(num_classes=2),
    }
    images = np.full((2, 40, 40, 1), 50_000, "uint16")
    examples = tf.data.Dataset.from_tensor_slices({"image": images, "label": [0, 1]})
    tfds.dataset_builders.store_as_tfds_dataset(
        name="deep",
        version="1.0.0",
        data_dir=str(tmp_path),
        split_datasets={"train": examples, "validation": examples},
        features=tfds.features.FeaturesDict(features),
    )
    with pytest.raises(ValueError, match=r"'image' .* must have 8 bits, got .*uint16"):
        load("deep", str(tmp_path), to_rgb=True)


def test_no_evaluation_split(tmp_path):
    prepare(tmp_path, counts=(60,))
    advice = (
        r"no split named validation.*train_split='train\[:90%\]', evaluation_split="
    )
    with pytest.raises(ValueError, match=advice):
        load("squares", str(tmp_path))
    data, _ = load(
        "squares",
        str(tmp_path),
        train_split="train[:50]",
        evaluation_split="train[50:]",
    )
    assert (data.train.size, data.evaluation.size) == (50, 10)


def test_missing_feature_is_named(tmp_path):
    tfds.dataset_builders.store_as_tfds_dataset(
        name="plain",
        version="1.0.0",
        data_dir=str(tmp_path),
        split_datasets={"train": tf.data.Dataset.from_tensor_slices({"x": [1, 2]})},
        features=tfds.features.FeaturesDict({"x": tfds.features.Scalar(np.int32)}),
    )
    with pytest.raises(ValueError, match=r"no image feature.* its features are x"):
        load("plain", str(tmp_path))


@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_corrupt_record_file(tmp_path, mode):
    prepare(tmp_path)
    file = next(tmp_path.rglob("*train.tfrecord*"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    with pytest.raises(ValueError, match="'train' of data set 'squares' is damaged"):
        data, _ = load("squares", str(tmp_path), mode=mode)
        list(data.train.epoch(8, seed=0))


def test_corrupt_record_file_while_training(tmp_path):
    """Found many batches later, by TensorFlow's own iterator."""
    prepare(tmp_path, counts=(400, 20))
    file = next(tmp_path.rglob("*train.tfrecord*"))
    content = bytearray(file.read_bytes())
    content[-len(content) // 8] ^= 255
    file.write_bytes(content)
    data, _ = load("squares", str(tmp_path), mode="stream")
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=2)
    recipe = dataclasses.replace(PLAIN, batch_size=4, epochs=1)
    with pytest.raises(ValueError, match="'train' of data set 'squares' is damaged"):
        fit(model, data, recipe)


def test_limit_beyond_the_end_takes_all(tmp_path):
    prepare(tmp_path)
    data, _ = load("squares", str(tmp_path), limit=10**6)
    whole, _ = load("squares", str(tmp_path))
    assert (data.train.size, data.evaluation.size) == (
        whole.train.size,
        whole.evaluation.size,
    )


def test_name_without_its_config():
    assert is_named("imagenette/160px-v2", "imagenette")
    assert is_named("imagenette/160px-v2", "imagenette/160px-v2:1.0.0")
    assert not is_named("imagenette/160px-v2", "imagenette/320px-v2")
    assert not is_named("imagenette112", "imagenette")


def test_real_photographs(shared):
    data, _ = load("imagenette112", str(shared / "tfds"), limit=64)
    assert data.classes == 10
    assert data.side == data.metadata.base_resolution == 112
    assert 100 < data.train.contents.images.mean() < 140
    assert set(data.train.contents.labels) == set(range(10))
