"""Photographs in, names of classes out."""

import dataclasses

import keras
import numpy as np
import pytest
from PIL import Image
from trainable import QUICK, small_model

import mobilenet_tf
from mobilenet_tf.data.storage import stored
from mobilenet_tf.training.evaluation import evaluate

LONGER = dataclasses.replace(QUICK, epochs=8, batch_size=24)


@pytest.fixture(scope="module")
def model(stripes):
    model = small_model()
    mobilenet_tf.fit(model, stripes, LONGER, report=None)
    return model


@pytest.fixture(scope="module")
def photographs(stripes):
    return list(stripes.evaluation.contents.images.transpose(0, 1, 3, 2))


def features():
    return mobilenet_tf.build(
        0.25, base_resolution=32, include_top=False, pooling="avg"
    )


def test_agrees_with_evaluate(model, stripes, photographs):
    # Images of 36 px are not at the side that photographs are stored at, 37 px.
    predictions = mobilenet_tf.predict(model, photographs)
    names = [prediction.class_name for prediction in predictions]
    labels = stripes.evaluation.contents.labels
    right = np.array(names) == np.array(stripes.class_names)[labels]
    assert abs(right.mean() - evaluate(model, stripes).top1) < 0.05
    assert right.mean() > 0.8


def test_probabilities(model, photographs):
    (prediction,) = mobilenet_tf.predict(model, photographs[0])
    assert sorted(prediction.class_names) == ["across", "along"]
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.probability == prediction.probabilities.max()
    percent = 100 * prediction.probability
    assert str(prediction).startswith(f"{prediction.class_name} {percent:.1f} %, ")


def test_every_kind_of_photograph(model, photographs, tmp_path):
    array = photographs[0]
    image = Image.fromarray(array)
    path = tmp_path / "photograph.png"
    image.save(path)
    batch = np.stack([array, array])
    for given in (array, image, path, str(path), [array, image, path], batch):
        predictions = mobilenet_tf.predict(model, given)
        expected = len(given) if isinstance(given, list | np.ndarray) else 1
        assert given is array or len(predictions) == expected
        for prediction in predictions:
            np.testing.assert_allclose(
                prediction.probabilities,
                mobilenet_tf.predict(model, array)[0].probabilities,
                rtol=1e-5,
            )
    assert mobilenet_tf.predict(model, []) == []


def test_pil_images_are_made_upright_rgb(model, photographs):
    turned = Image.fromarray(photographs[0]).transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[274] = 6
    upright, again = mobilenet_tf.predict(model, [photographs[0], turned])
    np.testing.assert_allclose(upright.probabilities, again.probabilities, rtol=1e-5)
    mobilenet_tf.predict(model, Image.fromarray(photographs[0]).convert("CMYK"))


def test_logits_and_own_heads(photographs):
    body = mobilenet_tf.build(
        0.25, base_resolution=32, include_top=False, pooling="avg"
    )
    head = [keras.layers.Rescaling(1 / 127.5, -1), body, keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((32, 32, 3)), *head])
    (prediction,) = mobilenet_tf.predict(model, photographs[0])
    assert sorted(prediction.class_names) == ["0", "1", "2"]
    assert prediction.probabilities.sum() == pytest.approx(1)
    pixels = stored(photographs[0], 37).transpose(0, 2, 1)[None].astype("float32")
    crop = keras.ops.image.resize(pixels[:, 2:-2, 2:-2], (32, 32))
    scores = keras.ops.softmax(model(crop))
    best = int(np.argmax(scores))
    assert prediction.class_name == str(best)


def test_bad_arguments(model, photographs, tmp_path):
    for given, message in (
        ([np.zeros((4, 4, 3))], r"arrays uint8 of shape .* got float64 \(4, 4, 3\)"),
        ([np.zeros((4, 4), "uint8")], r"got uint8 \(4, 4\)"),
        ([3], r"photographs must be paths.* got int"),
        (tmp_path / "none.jpg", r"none\.jpg' cannot be read: No such file"),
    ):
        with pytest.raises(ValueError, match=message):
            mobilenet_tf.predict(model, given)
    with pytest.raises(ValueError, match="class_names must be 2 names, one for each"):
        mobilenet_tf.predict(model, photographs, class_names=["cat"])
    with pytest.raises(ValueError, match="model must be a classifier, got"):
        mobilenet_tf.predict(features(), photographs)
