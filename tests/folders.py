"""Folders of photographs, one per class, with images of random pixels."""

import numpy as np
from PIL import Image

# The images are of 40 x 48 px and stored at 32.
OPTIONS = {"base_resolution": 28, "report": lambda line: None}


def picture(seed, size=(40, 48)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")


def write(folder, counts, start=0):
    """PNG files of different content, so many in the folder of each class."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(picture(start)).save(folder / name / f"{number}.png")
            start += 1


def two_classes(photos):
    """Two classes of 10 and 6 photographs, and files that are passed over."""
    write(photos, {"cat": 10, "dog": 6})
    (photos / ".DS_Store").write_bytes(b"")
    (photos / "cat" / ".DS_Store").write_bytes(b"")
    (photos / ".cache").mkdir()
    return photos
