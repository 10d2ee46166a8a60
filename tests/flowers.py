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


def published_weights(keras_home: Path, network: keras.Model) -> None:
    """Write the weights of a network in the place of those of alpha 0.5 at 160 px."""
    (keras_home / "models").mkdir(parents=True)
    written = keras_home / "features.weights.h5"
    network.save_weights(written)
    written.rename(keras_home / "models" / "mobilenet_5_0_160_tf_no_top.h5")
