import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from conftest import outputs_of

import mobilenet_tf
from mobilenet_tf.models import weight_loading

SMALL = {"alpha": 0.25, "base_resolution": 32, "classes": 3}


def weights_of(model):
    return model.get_weights()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """`keras.applications.MobileNet` with random statistics, and its file."""
    model = keras.applications.MobileNet((32, 32, 3), 0.25, weights=None, classes=3)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1, w.shape) for w in model.get_weights()])
    path = tmp_path_factory.mktemp("theirs") / "theirs.weights.h5"
    model.save_weights(path)
    return model, path


def test_file_of_keras_applications(theirs):
    model, path = theirs
    ours = mobilenet_tf.build(**SMALL, weights=path)
    images = np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        outputs_of(ours, images), outputs_of(model, images), atol=1e-4
    )


@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras"])
def test_own_files(tmp_path, name):
    model = mobilenet_tf.build(**SMALL)
    save = model.save_weights if name.endswith("h5") else model.save
    save(tmp_path / name)
    again = mobilenet_tf.build(**SMALL, weights=tmp_path / name)
    for one, other in zip(weights_of(model), weights_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_classes_and_no_top_keep_the_features(theirs):
    _, path = theirs
    with pytest.warns(UserWarning, match="of 3 classes is left out"):
        other = mobilenet_tf.build(**{**SMALL, "classes": 7}, weights=path)
    whole = mobilenet_tf.build(**SMALL, weights=path)
    with pytest.warns(UserWarning, match="of 3 classes is left out: .* has none"):
        body = mobilenet_tf.build(
            0.25, base_resolution=32, include_top=False, weights=path
        )
    for model in (other, body):
        np.testing.assert_array_equal(
            model.get_layer("block13_pointwise").get_weights()[0],
            whole.get_layer("block13_pointwise").get_weights()[0],
        )


def test_squeezenet_of_other_classes(tmp_path):
    path = tmp_path / "squeezenet.weights.h5"
    model = mobilenet_tf.build_squeezenet(classes=5, resolution=64)
    model.save_weights(path)
    with pytest.warns(UserWarning, match="of 5 classes is left out; that of 3"):
        other = mobilenet_tf.build_squeezenet(classes=3, resolution=64, weights=path)
    np.testing.assert_array_equal(weights_of(other)[0], weights_of(model)[0])
    with pytest.raises(ValueError, match=r"version '1.1', .* has \(7, 7, 3, 96\)"):
        mobilenet_tf.build_squeezenet("1.1", classes=5, resolution=64, weights=path)


def test_a_deeper_network_is_another_network(tmp_path):
    path = tmp_path / "deep.weights.h5"
    mobilenet_tf.build(0.25, base_resolution=32, include_top=False).save_weights(path)
    with pytest.raises(ValueError, match="damaged or of another network"):
        mobilenet_tf.build(
            0.25,
            base_resolution=32,
            include_top=False,
            blocks=mobilenet_tf.models.mobilenet.BLOCKS[:-1],
            weights=path,
        )


def test_another_network(theirs):
    _, path = theirs
    with pytest.raises(ValueError, match=r"theirs.weights.h5' is damaged or of anoth"):
        mobilenet_tf.build(0.5, base_resolution=32, classes=3, weights=path)


def test_nothing_changes_when_the_file_does_not_fit(theirs):
    _, path = theirs
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=3, hidden_units=(8,))
    before = weights_of(model)
    with pytest.raises(ValueError, match="hidden1"):
        weight_loading.load(model, weight_loading.read(path))
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_class_in_the_layout_of_keras_2(tmp_path):
    """A convolution with one filter has the shape of a depthwise one."""
    arguments = {"version": "1.1", "resolution": 64, "classes": 1}
    model = mobilenet_tf.build_squeezenet(**arguments)
    model.save(tmp_path / "model.h5")
    again = mobilenet_tf.build_squeezenet(**arguments, weights=tmp_path / "model.h5")
    for one, other in zip(weights_of(model), weights_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_damaged_files(theirs, tmp_path):
    _, path = theirs
    data = path.read_bytes()
    (tmp_path / "cut.weights.h5").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.weights.h5").write_text("not a weights file")
    (tmp_path / "text.keras").write_text("not a model")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    for name, place, value in (
        ("nan", "layers/conv2d/vars/0", np.nan),
        ("vars", "layers/conv2d/vars", 1.0),
        ("layers", "layers", 1.0),
    ):
        shutil.copy(path, tmp_path / f"{name}.weights.h5")
        with h5py.File(tmp_path / f"{name}.weights.h5", "a") as file:
            shape = getattr(file[place], "shape", ())
            del file[place]
            file[place] = np.full(shape, value)
    for name, content in (("no", b""), ("other", b"x")):
        whole = tmp_path / f"{name}_config.keras"
        mobilenet_tf.build(**SMALL).save(whole)
        with zipfile.ZipFile(whole) as archive:
            weights = archive.read("model.weights.h5")
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("model.weights.h5", weights)
            if content:
                archive.writestr("config.json", "config of a network")
        if content:  # a byte is changed, which the archive's checksum tells
            data = whole.read_bytes()
            whole.write_bytes(data.replace(b"config of", b"Config of"))
    shutil.copy(path, tmp_path / "fine.weights.h5")
    for file in tmp_path.iterdir():
        if file.name != "fine.weights.h5":
            with pytest.raises(ValueError, match=f"{file.name}' is damaged"):
                mobilenet_tf.build(**SMALL, weights=file)
