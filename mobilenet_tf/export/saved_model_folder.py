"""SavedModel: preprocessing, network and labels in a folder that TensorFlow serves."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf import arguments
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import verification
from mobilenet_tf.export.decoding import decode
from mobilenet_tf.export.images import resized
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.options import Options, prepare
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.verification import Verification

_BATCH = 64  # images that are run at once


def saved_model(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    top_k: int = 5,
    preprocessing: Preprocessing | None = None,
    tolerance: float = verification.FLOAT_TOLERANCE,
    **options: Unpack[Options],
) -> Verification:
    """Write a SavedModel that takes photographs, and verify it against the model.

    Its signatures are `serving_default`, from float32 images `(batch, H, W, 3)` of any
    size with values from 0 to 255; `serving_uint8`, the same from bytes; and
    `classify_jpeg`, from a batch of encoded JPEG or PNG files of unequal sizes, whose
    EXIF orientation is applied and whose transparent pixels are white. Each gives
    `logits` and `probabilities` `(batch, classes)`, and `top_labels` and
    `top_probabilities` `(batch, top_k)`; a network without a classifier gives
    `features`. Beside the folder stand the report of the verification, `{path}.json`,
    and a model card, `{path}.md`.

    Args:
        model: A functional or sequential Keras model from square RGB images to classes
            or features; other models inside it are flattened.
        path: The folder to write; neither it nor report and card beside it may exist.
        top_k: Number of best classes to name, at most all.
        preprocessing: None means TF-Slim's.
        tolerance: The largest difference of an output that is accepted, as a share of
            the largest output, or of 1 where that is smaller.
        **options: See `mobilenet_tf.export.options.Options`: `data` or `images` to
            verify the file on, `classes`, `labels`, `input_range`, `data_description`.

    Returns:
        What the verification measured.

    Raises:
        TypeError: There is no such further argument.
        ValueError: An argument does not fit, or the file differs from the model; no
            file is left.
    """
    arguments.integer("top_k", top_k)
    check_path(path)
    prepared = prepare("saved_model", model, options)
    network = prepared.network
    preprocessing = preprocessing or Preprocessing()
    output = "features"
    if network.head is not None:
        output = "logits" if network.gives_logits else "probabilities"

    def write(partial):
        server = _Server(network, top_k, preprocessing)
        tf.saved_model.save(server, str(partial), signatures=server.signatures())

    return publish(
        path,
        prepared,
        format_name="saved_model",
        pixels=resized(prepared.examples.images, network.side, preprocessing),
        write=write,
        run=lambda partial: _run(partial, prepared.examples.images, output),
        tolerance=tolerance,
    )


class _Server(tf.Module):
    """The saved module: decoding, preprocessing and the network."""

    def __init__(self, network: Network, top_k: int, preprocessing: Preprocessing):
        super().__init__()
        self.side = network.side
        self.preprocessing = preprocessing
        labels = network.labels
        self.classifies = labels is not None
        if labels is not None:
            network = network if network.gives_logits else network.with_logits()
            self.names = tf.constant(labels)
            self.top_k = min(top_k, len(labels))
        model = network.on_pixels()
        # The variables alone: for what else to save, TensorFlow would read every
        # attribute of every layer, several times.
        self.variables_of_model = [variable.value for variable in model.variables]
        self.predict = functools.partial(model, training=False)

    def signatures(self):
        """Concrete functions by name.

        The traced functions are no attributes: TensorFlow would trace each once more.
        """
        photographs = (None, None, None, 3)
        serve = tf.function(self._serve, autograph=False)
        classify = tf.function(self._classify, autograph=False)
        return {
            "serving_default": serve.get_concrete_function(
                tf.TensorSpec(photographs, tf.float32, name="images")
            ),
            "serving_uint8": serve.get_concrete_function(
                tf.TensorSpec(photographs, tf.uint8, name="images")
            ),
            "classify_jpeg": classify.get_concrete_function(
                tf.TensorSpec((None,), tf.string, name="encoded")
            ),
        }

    def _serve(self, images):
        return self._outputs(self._each(self._resized, images))

    def _classify(self, encoded):
        def resized(file):
            return self._resized(decode(file))

        return self._outputs(self._each(resized, encoded))

    def _resized(self, image):
        return self.preprocessing.resize(image, self.side)

    def _each(self, function, elements):
        spec = tf.TensorSpec((self.side, self.side, 3), tf.float32)
        return tf.map_fn(function, elements, fn_output_signature=spec)

    def _outputs(self, pixels):
        outputs = self.predict(pixels)
        if not self.classifies:
            return {"features": outputs}
        probabilities = tf.nn.softmax(outputs)
        best = tf.math.top_k(probabilities, self.top_k)
        return {
            "logits": outputs,
            "probabilities": probabilities,
            "top_labels": tf.gather(self.names, best.indices),
            "top_probabilities": best.values,
        }


def _run(path: Path, images: Sequence[np.ndarray], output: str) -> np.ndarray:
    """Outputs of the saved model for encoded images, as a client sends them."""
    classify = tf.saved_model.load(str(path)).signatures["classify_jpeg"]
    outputs = []
    for start in range(0, len(images), _BATCH):
        batch = [tf.io.encode_png(image) for image in images[start : start + _BATCH]]
        outputs.append(classify(tf.stack(batch))[output].numpy())
    return np.concatenate(outputs)
