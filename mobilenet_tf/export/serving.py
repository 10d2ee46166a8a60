"""SavedModel: preprocessing, network and labels in one file that TensorFlow serves."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf import arguments
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import card, parity
from mobilenet_tf.imagenet import CLASSES, wordnet_ids


def saved_model(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    top_k: int = 5,
    preprocessing: Preprocessing | None = None,
    images: Sequence[np.ndarray] | None = None,
    tolerance: float = parity.FLOAT_TOLERANCE,
) -> parity.Report:
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
        tolerance: The largest difference of an output that is accepted.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, or the file is not equal to the model; no
            file is left.
    """
    path = Path(path)
    if path.exists():
        raise ValueError(f"path must not exist yet, got {str(path)!r}; delete it first")
    arguments.integer("top_k", top_k)
    images = parity.photographs() if images is None else list(images)
    server = _Server(model, labels, top_k, preprocessing or Preprocessing())
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        tf.saved_model.save(server, partial, signatures=server.signatures())
        report = _prove(partial, server, model, images, tolerance)
        texts = {
            ".json": report.to_json(),
            ".md": card.render(model, path.name, server.labels, report),
        }
        os.replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for suffix, text in texts.items():
        path.with_name(path.name + suffix).write_text(text)
    return report


class _Server(tf.Module):
    """What is saved: the network, behind images and encoded files."""

    def __init__(self, model, labels, top_k, preprocessing):
        super().__init__()
        self.side = model.input_shape[1]
        self.preprocessing = preprocessing
        self.has_classifier = len(model.output_shape) == 2 and _ends_with_classes(model)
        self.network = _with_logits(model) if self.has_classifier else model
        self.labels = None
        if self.has_classifier:
            self.labels = _labels(labels, model.output_shape[-1])
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
        return self._outputs(self._each(self._prepared, images))

    @tf.function
    def classify_jpeg(self, encoded):
        def prepared(file):
            image = tf.io.decode_image(file, 3, expand_animations=False)
            return self._prepared(image)

        return self._outputs(self._each(prepared, encoded))

    def _prepared(self, image):
        return self.preprocessing.apply(image, self.side)

    def _each(self, function, elements):
        spec = tf.TensorSpec((self.side, self.side, 3), tf.float32)
        return tf.map_fn(function, elements, fn_output_signature=spec)

    def _outputs(self, inputs):
        outputs = self.network(inputs, training=False)
        if not self.has_classifier:
            return {"features": outputs}
        probabilities = tf.nn.softmax(outputs)
        best = tf.math.top_k(probabilities, self.top_k)
        return {
            "logits": outputs,
            "probabilities": probabilities,
            "top_labels": tf.gather(self.names, best.indices),
            "top_probabilities": best.values,
        }


def _prove(path, server, model, images, tolerance):
    """Run the saved file on encoded images, as a client would."""
    loaded = tf.saved_model.load(path)
    encoded = [tf.io.encode_png(image) for image in images]
    found = loaded.signatures["classify_jpeg"](tf.stack(encoded))
    name = "features"
    if server.has_classifier:
        name = "logits" if _gives_logits(model) else "probabilities"
    prepare = server._prepared
    expected = parity.expected_outputs(model, images, prepare)
    return parity.compare("saved_model", expected, found[name].numpy(), tolerance)


def _ends_with_classes(model):
    return model.layers[-1].name == "classifier"


def _gives_logits(model):
    return model.layers[-1].activation is keras.activations.linear


def _with_logits(model):
    """The same network without the classifier's activation."""

    def same(layer):
        config = layer.get_config()
        if layer is model.layers[-1]:
            config["activation"] = "linear"
        return type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=same)
    clone.set_weights(model.get_weights())
    return clone


def _labels(labels, classes):
    if labels is None:
        ids = wordnet_ids()
        return ids if classes == CLASSES else [str(index) for index in range(classes)]
    if len(labels) != classes:
        raise ValueError(f"labels must be {classes} names, got {len(labels)}")
    return list(labels)
