"""Predictions of the public models on the other Keras backends.

`make test-jax` runs the tests marked `any_backend` on JAX, which compare with
independent implementations there.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, import_path, outputs_of

import mobilenet_tf
from mobilenet_tf.analysis import cost
from mobilenet_tf.training.clone import training_clone

PREDICT = """
import sys
sys.modules["tensorflow"] = None
import keras, numpy as np, mobilenet_tf
from mobilenet_tf import cost
assert keras.backend.backend() == {backend!r}
folder = sys.argv[1]
images = np.load(folder + "/images.npy")
model = mobilenet_tf.build(0.25, 4 / 7, classes=10, weights=folder + "/m.weights.h5")
np.save(folder + "/{backend}.npy", model.predict_on_batch(images))
assert cost.mult_adds(model) == {mult_adds}
"""


@pytest.mark.parametrize(
    "backend", [pytest.param("jax", marks=pytest.mark.thorough), "torch"]
)
def test_predictions_are_those_of_tensorflow(tmp_path, backend):
    pytest.importorskip(backend)
    model = mobilenet_tf.build(0.25, 4 / 7, classes=10)
    model.save_weights(tmp_path / "m.weights.h5")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3)).astype("float32")
    np.save(tmp_path / "images.npy", images)
    program = PREDICT.format(backend=backend, mult_adds=cost.mult_adds(model))
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": import_path(ROOT)},
        check=True,
    )
    np.testing.assert_allclose(
        np.load(tmp_path / f"{backend}.npy"), outputs_of(model, images), atol=1e-5
    )


def test_fused_normalisation_is_for_tensorflow_only():
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=2)
    clone = training_clone(model, 32)
    kinds = {type(layer).__name__ for layer in clone.layers}
    assert "FusedBatchNormalization" in kinds
    assert "BatchNormalization" not in kinds
