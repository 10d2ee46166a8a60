"""SavedModel: preprocessing, network and labels in one file that TensorFlow serves."""

from __future__ import annotations

import os
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf import arguments
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import verification
from mobilenet_tf.export.images import images_or_default
from mobilenet_tf.export.networks import (
    class_labels,
    gives_logits,
    in_batches,
    outputs,
    with_logits,
)
from mobilenet_tf.export.publishing import check_path, publish


def saved_model(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    top_k: int = 5,
    preprocessing: Preprocessing | None = None,
    images: Sequence[np.ndarray] | None = None,
    classes: Sequence[int] | None = None,
    data: str | None = None,
    tolerance: float = verification.FLOAT_TOLERANCE,
) -> verification.Report:
    """Write a SavedModel that takes photographs, and prove it equal to the model.

    Its signatures are `serving_default`, from float32 images `(batch, H, W, 3)` of any
    size with values from 0 to 255; `serving_uint8`, the same from bytes; and
    `classify_jpeg`, from a batch of encoded JPEG or PNG files of unequal sizes. Each
    gives `logits` and `probabilities` `(batch, classes)`, and `top_labels` and
    `top_probabilities` `(batch, top_k)`; a network without a classifier gives
    `features`. Beside the folder stand the parity report, `{path}.json`, and a model
    card, `{path}.md`.

    Args:
        model: One of our networks.
        path: The folder to write; it must not exist.
        labels: Names of the classes in index order. None means the WordNet ids for
            1000 classes, else the numbers.
        top_k: How many of the best classes are named, at most all.
        preprocessing: None means TF-Slim's.
        images: Real images, uint8 `(H, W, 3)` of any sizes, for the proof; None means
            parts of a photograph that comes with matplotlib.
        classes: The true classes of `images`, for the accuracy of model and file.
        data: What the weights were trained on, for the model card.
        tolerance: The largest difference of an output that is accepted, as a share of
            the largest output, or of 1 where that is smaller.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, or the file is not equal to the model; no
            file is left.
    """
    arguments.integer("top_k", top_k)
    check_path(path)
    images = images_or_default(images)
    server = _Server(model, labels, top_k, preprocessing or Preprocessing())
    verification.check_classes(classes, images, server.labels)

    def write(partial):
        tf.saved_model.save(server, str(partial), signatures=server.signatures())

    def prove(partial):
        name = "features"
        if server.labels is not None:
            name = "logits" if gives_logits(model) else "probabilities"
        inputs = np.stack([server.prepared(image) for image in images])
        return verification.compare(
            "saved_model",
            outputs(model, inputs),
            _run(partial, images, name),
            names_classes=server.labels is not None,
            tolerance=tolerance,
            classes=classes,
        )

    return publish(path, model, server.labels, data, write=write, prove=prove)


class _Server(tf.Module):
    """What is saved: the network, behind images and encoded files."""

    def __init__(self, model, labels, top_k, preprocessing):
        super().__init__()
        self.side = model.input_shape[1]
        self.preprocessing = preprocessing
        self.labels = class_labels(model, labels)
        self.network = model
        if self.labels is not None:
            gives_logits(model)  # raises for what is neither logits nor softmax
            self.network = with_logits(model)
            self.names = tf.constant(self.labels)
            self.top_k = min(top_k, len(self.labels))

    def signatures(self):
        """Concrete functions by name."""
        batch = (None, None, None, 3)
        return {
            "serving_default": self.serve.get_concrete_function(
                tf.TensorSpec(batch, tf.float32, name="images")
            ),
            "serving_uint8": self.serve.get_concrete_function(
                tf.TensorSpec(batch, tf.uint8, name="images")
            ),
            "classify_jpeg": self.classify_jpeg.get_concrete_function(
                tf.TensorSpec((None,), tf.string, name="encoded")
            ),
        }

    @tf.function
    def serve(self, images):
        return self._outputs(self._each(self.prepared, images))

    @tf.function
    def classify_jpeg(self, encoded):
        def decoded(file):
            image = tf.io.decode_image(file, 3, expand_animations=False)
            return self.prepared(image)

        return self._outputs(self._each(decoded, encoded))

    def prepared(self, image):
        return self.preprocessing.apply(image, self.side)

    def _each(self, function, elements):
        spec = tf.TensorSpec((self.side, self.side, 3), tf.float32)
        return tf.map_fn(function, elements, fn_output_signature=spec)

    def _outputs(self, inputs):
        outputs = self.network(inputs, training=False)
        if self.labels is None:
            return {"features": outputs}
        probabilities = tf.nn.softmax(outputs)
        best = tf.math.top_k(probabilities, self.top_k)
        return {
            "logits": outputs,
            "probabilities": probabilities,
            "top_labels": tf.gather(self.names, best.indices),
            "top_probabilities": best.values,
        }


def _run(path, images, name):
    """What the saved file gives for encoded images, as a client would send them."""
    classify = tf.saved_model.load(str(path)).signatures["classify_jpeg"]

    def run(some):
        return classify(tf.stack([tf.io.encode_png(image) for image in some]))[name]

    return in_batches(run, images)
