"""Label features: one class, any number of attributes (multi-label), or none."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from prepared import NAMES, attributes, load

from experiments.harness import Config
from mobilenet_tf.data.tfds_features import label_feature


@pytest.mark.parametrize("name", ["booleans", "sequences"])
@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_attributes(attribute_sets, name, mode):
    data, line = load(name, attribute_sets, mode=mode)
    assert data.multi_label and "3 attributes" in line
    assert sorted(data.class_names) == sorted(NAMES)
    order = [NAMES.index(one) for one in data.class_names]
    found = np.concatenate([batch.labels for batch in data.train.epoch(32)])
    wanted = np.stack([attributes(index)[order] for index in range(96)])
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_images_without_labels(attribute_sets, mode):
    data, _ = load("nothing", attribute_sets, mode=mode, unlabelled=True)
    assert data.classes == 0 and not data.multi_label
    assert (next(data.train.epoch(8)).labels == -1).all()


def test_labels_can_be_left_aside(attribute_sets, tmp_path):
    path = tmp_path / "arrays.npz"
    data, _ = load("booleans", attribute_sets, unlabelled=True, arrays=path)
    again, _ = load("booleans", attribute_sets, unlabelled=True, arrays=path)
    assert data.metadata == again.metadata and data.classes == 0
    with pytest.raises(ValueError, match="holds unlabelled True, but False was req"):
        load("booleans", attribute_sets, arrays=path)


def test_attributes_from_a_file(attribute_sets, booleans, tmp_path):
    path = tmp_path / "arrays.npz"
    load("booleans", attribute_sets, arrays=path)
    again, _ = load("booleans", attribute_sets, arrays=path)
    assert again.multi_label
    with pytest.raises(ValueError, match="holds a multi-label data set"):
        load("booleans", attribute_sets, arrays=path, single_label=True)
    np.testing.assert_array_equal(
        again.train.contents.labels, booleans.train.contents.labels
    )


def test_experiments_need_one_class_each(attribute_sets):
    config = Config(dataset="booleans", data_dir=attribute_sets)
    with pytest.raises(ValueError, match=r"label feature 'said' .* is multi-label"):
        config.load_data()


def test_bad_arguments(attribute_sets):
    with pytest.raises(ValueError, match=r"'nothing' has no label feature \(ClassL"):
        load("nothing", attribute_sets)
    with pytest.raises(ValueError, match="label_key must be None where unlabelled"):
        load("booleans", attribute_sets, unlabelled=True, label_key="said")


def test_features_of_well_known_sets_are_found():
    faces = tfds.builder("celeb_a").info.features
    assert label_feature("celeb_a", faces).key == "attributes"
    assert len(label_feature("celeb_a", faces).names) == 40
    scenes = tfds.builder("voc/2007").info.features
    with pytest.raises(ValueError, match=r"several label features \(labels, labels_no"):
        label_feature("voc/2007", scenes)
    assert label_feature("voc/2007", scenes, "labels").multi_label


def test_nested_features_are_no_labels():
    classes = tfds.features.ClassLabel(names=NAMES)
    inner = {"camera": {"iso": np.int64}, "flags": {"on": np.bool_}}
    nested = tfds.features.FeaturesDict(
        {
            "label": classes,
            "meta": inner,
            "said": tfds.features.Sequence({"what": tfds.features.Sequence(classes)}),
        }
    )
    assert label_feature("nested", nested).key == "label"
