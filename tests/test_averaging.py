"""Averaged weights, against an average that is taken beside the training."""

import dataclasses

import keras
import numpy as np
import pytest
from trainable import QUICK, equal, small_model

from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.training import averaging, classifier
from mobilenet_tf.training.cropping import crop_resize

MOMENTUM = 0.7
RECIPE = dataclasses.replace(
    QUICK, epochs=2, ema_momentum=MOMENTUM, flip="alternating", mixup=0.2
)


class Average(keras.callbacks.Callback):
    """What the optimizer should keep."""

    values = None

    def on_train_batch_end(self, batch, logs=None):
        now = [variable.numpy() for variable in self.model.trainable_variables]
        if self.values is None:
            self.values = now
        else:
            self.values = [
                MOMENTUM * old + (1 - MOMENTUM) * new
                for old, new in zip(self.values, now, strict=True)
            ]


@pytest.fixture
def few_batches(monkeypatch):
    monkeypatch.setattr(averaging, "BATCHES", 3)


def test_network_ends_with_the_average(stripes, eagerly, few_batches):
    model, average = small_model(), Average()
    classifier.fit(model, stripes, RECIPE, report=None, callbacks=[average])
    for variable, value in zip(model.trainable_variables, average.values, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)
    # The statistics of the first normalisation are those of the averaged convolution.
    batches = training_batches(stripes.train, 2, 48, 0, 1, RECIPE.augmentation)
    convolution, normalization = model.layers[1:3]
    means = []
    for _ in range(3):
        (images, crops), _ = next(batches)
        inputs = averaging_inputs(images, crops)
        means.append(np.mean(convolution(inputs), axis=(0, 1, 2)))
    np.testing.assert_allclose(
        normalization.moving_mean.numpy(), np.mean(means, 0), rtol=1e-3, atol=1e-5
    )


def averaging_inputs(images, crops):
    from mobilenet_tf.training.cropping import blend

    return blend(crop_resize(images, crops[:, :4], 32), crops[:, 4:])


def test_resumed_training_ends_with_the_same_average(
    stripes, tmp_path, eagerly, few_batches
):
    class StopError(Exception):
        pass

    def interrupt(progress):
        raise StopError

    path = tmp_path / "snapshot.npz"
    whole, resumed = small_model(), small_model()
    classifier.fit(whole, stripes, RECIPE, report=None)
    with pytest.raises(StopError):
        classifier.fit(
            small_model(),
            stripes,
            RECIPE,
            report=None,
            snapshot_path=path,
            on_epoch=interrupt,
        )
    classifier.fit(resumed, stripes, RECIPE, report=None, snapshot_path=path)
    assert equal(whole, resumed)
