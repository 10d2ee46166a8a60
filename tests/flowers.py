"""What the code in the documents needs: photographs, and weights in Keras' cache."""

from pathlib import Path

import keras
import numpy as np
from PIL import Image

CLASSES = ("rose", "tulip")


def photographs(folder: Path, count: int = 10) -> None:
    """Write `photos/rose` and `photos/tulip` with so many JPEG files each."""
    rng = np.random.default_rng(0)
    for name, colour in zip(CLASSES, ((200, 60, 60), (80, 80, 200)), strict=True):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(1, count + 1):
            pixels = np.clip(rng.normal(colour, 40, (80, 100, 3)), 0, 255)
            image = Image.fromarray(pixels.astype("uint8"))
            image.save(folder / "photos" / name / f"IMG_{number:04}.jpg")


def published_weights(keras_home: Path, alpha: float, side: int) -> None:
    """Write a file of random weights in the place of a published one."""
    (keras_home / "models").mkdir(parents=True)
    network = keras.applications.MobileNet(
        (side, side, 3), alpha, weights=None, include_top=False
    )
    written = keras_home / "features.weights.h5"
    network.save_weights(written)
    name = {0.25: "2_5", 0.5: "5_0"}[alpha]
    written.rename(keras_home / "models" / f"mobilenet_{name}_{side}_tf_no_top.h5")
