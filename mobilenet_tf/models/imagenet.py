"""ImageNet: the published MobileNet weights, their input, and the names of classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mobilenet_tf import arguments, files
from mobilenet_tf.models import download

URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/"
_ALPHA_NAMES = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
SIDES = (224, 192, 160, 128)
PAIRS = tuple((alpha, side) for alpha in _ALPHA_NAMES for side in SIDES)
CLASSES = 1000


def check_pair(alpha: float, side: int) -> None:
    """Raise ValueError unless weights are published for alpha and the input side."""
    if (alpha, side) not in PAIRS:
        published = ", ".join(f"({alpha:g}, {side})" for alpha, side in PAIRS)
        raise ValueError(
            "weights='imagenet' are published for alpha and side in pixels of "
            f"{published}; got ({alpha!r}, {side})"
        )


def cache_folder() -> Path:
    """Where Keras keeps published models: `$KERAS_HOME/models` or `~/.keras/models`."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"


def weights_file(
    alpha: float, side: int, with_classifier: bool = True, url: str = URL
) -> Path:
    """The published file, from Keras' own cache or downloaded into it.

    Folder and names are those of `keras.applications`, so that its downloads
    are found. Without the classifier, a cached file with it will do.

    Raises:
        ValueError: No such weights are published, or they cannot be downloaded.
    """
    check_pair(alpha, side)
    folder = cache_folder()
    stem = f"mobilenet_{_ALPHA_NAMES[alpha]}_{side}_tf"
    whole, features = f"{stem}.h5", f"{stem}_no_top.h5"
    whole_will_do = with_classifier or (folder / whole).exists()
    name = whole if whole_will_do else features
    return download.cached(url + name, folder / name)


def preprocess_input(images: Any) -> Any:
    """RGB from 0 to 255 to what all our networks expect: `images / 127.5 - 1`.

    Args:
        images: Array or tensor `(..., 3)`, integers or floats in [0, 255].

    Returns:
        float32 of the same shape in [-1, 1]; the argument is left as it is.

    Raises:
        ValueError: An array has values outside [0, 255], or only fractions up to 1, so
            that it has been scaled before.
    """
    if isinstance(images, np.ndarray) and images.size:
        low, high = images.min(), images.max()
        scaled = np.issubdtype(images.dtype, np.floating) and 0 < high <= 1
        if low < 0 or high > 255 or scaled:
            raise ValueError(
                "images must be RGB from 0 to 255, not scaled yet; got values from "
                f"{low} to {high}"
            )
        return images.astype("float32") / np.float32(127.5) - 1
    return keras.ops.cast(images, "float32") / 127.5 - 1


def decode_predictions(
    predictions: Any,
    top: int = 5,
    labels: Sequence[str] | str | Path | None = None,
) -> list[list[tuple[str, str, float]]]:
    """The best classes of each image.

    Args:
        predictions: Probabilities or logits `(batch, 1000)`, or of as many classes as
            `labels` has.
        top: How many classes, at least 1.
        labels: Names in index order, or a text file with one per line. None means
            those in Keras' cache, `imagenet_class_index.json`, where it has been
            downloaded; else the WordNet ids stand in for them.

    Returns:
        For each image `[(WordNet id or "", name, score), ...]`, the best first.

    Raises:
        ValueError: The shapes or an argument do not fit.
    """
    arguments.integer("top", top)
    scores = np.asarray(keras.ops.convert_to_numpy(predictions))
    classes = _classes(labels)
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        hint = "; pass labels= for other classes" if labels is None else ""
        raise ValueError(
            f"predictions must have the shape (batch, {len(classes)}), "
            f"got {scores.shape}{hint}"
        )
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [
        [(*classes[index], float(row[index])) for index in indices]
        for row, indices in zip(scores, best, strict=True)
    ]


def wordnet_ids() -> list[str]:
    """The 1000 classes in index order."""
    path = Path(__file__).with_name("imagenet_classes.txt")
    return path.read_text().split()


def _classes(labels):
    """`(WordNet id, name)` of every class; an id is empty where none is known."""
    if isinstance(labels, str | Path):
        labels = [line.partition("\t")[2] or line for line in files.read_lines(labels)]
    ids = wordnet_ids()
    if labels is not None:
        known = ids if len(labels) == CLASSES else [""] * len(labels)
        return list(zip(known, labels, strict=True))
    index = cache_folder() / "imagenet_class_index.json"
    if index.exists():
        class_index = files.read_json(index)
        try:
            pairs = [class_index[str(number)] for number in range(CLASSES)]
            return [(str(wordnet_id), str(name)) for wordnet_id, name in pairs]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{str(index)!r} is damaged, delete it: it has no {error}"
            ) from error
    return list(zip(ids, ids, strict=True))
