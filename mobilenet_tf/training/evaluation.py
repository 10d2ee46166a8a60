"""Accuracy of a network with published weights on photographs."""

from __future__ import annotations

import time

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf.data.imagenet_photographs import Photographs
from mobilenet_tf.data.preprocessing import Preprocessing

BATCH = 64


def evaluate(
    model: keras.Model, photographs: Photographs, preprocessing: Preprocessing
) -> dict[str, float]:
    """Top-1 and top-5 over 1000 classes.

    Args:
        model: `(side, side, 3)` in [-1, 1] to 1000 probabilities or logits.
        photographs: What to evaluate on.
        preprocessing: How images are cropped and scaled.

    Returns:
        `{"top1", "top5"}` as fractions, `"images"`, and `"images_per_second"` with
        decoding and preprocessing included.

    Raises:
        ValueError: There are no photographs, or a score is not finite.
    """
    side = model.input_shape[1]
    batches = photographs.images.map(
        lambda image, label: (preprocessing.apply(image, side), label),
        tf.data.AUTOTUNE,
    )
    batches = batches.batch(BATCH).prefetch(2)
    predict = tf.function(lambda images: model(images, training=False))
    images, first, five, started = 0, 0, 0, time.perf_counter()
    for inputs, labels in batches:
        scores = predict(inputs).numpy()
        if not np.isfinite(scores).all():
            raise ValueError(f"{model.name!r} gives scores that are not finite")
        labels = labels.numpy()[:, None]
        # As many classes as are strictly better; ties go to the one with lower index.
        own = np.take_along_axis(scores, labels, 1)
        before = np.arange(scores.shape[1]) < labels
        rank = ((scores > own) | ((scores == own) & before)).sum(1)
        images += len(rank)
        first += int((rank < 1).sum())
        five += int((rank < 5).sum())
    if not images:
        raise ValueError(f"there are no photographs in {photographs.name!r}")
    seconds = time.perf_counter() - started
    return {
        "top1": first / images,
        "top5": five / images,
        "images": images,
        "images_per_second": round(images / seconds, 1),
    }
