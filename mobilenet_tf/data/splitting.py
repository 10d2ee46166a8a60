"""Random validation splits in which equal images are on one side."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from mobilenet_tf import arguments


def check_split(validation: float, seed: int) -> None:
    """Check the share that is held out, in (0, 1), and the seed, at least 0.

    Raises:
        ValueError: One is illegal.
    """
    arguments.number("validation", validation, lambda x: 0 < x < 1, "in (0, 1)")
    arguments.integer("seed", seed, 0)


def split_by_content(
    digests: Sequence[str],
    labels: Sequence[int],
    class_names: Sequence[str],
    validation: float,
    seed: int = 0,
    trained_on: Collection[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the validation images, class by class.

    Held out are the images whose hash with the seed is smallest, so that most images
    stay on their side when others are added.

    Args:
        digests: Hash of each image's content; equal images stay on one side.
        labels: Class of each image.
        class_names: Names of the classes, for errors.
        validation: Share of each class that is held out, in (0, 1); at least one image
            is on each side.
        seed: Seed of the choice.
        trained_on: Hashes of images that stay on the training side.

    Returns:
        Training indices and validation indices, each in ascending order.

    Raises:
        ValueError: A class has fewer than two different images, or none that may be
            held out.
    """
    class_of = dict(zip(reversed(digests), reversed(labels), strict=True))
    known = frozenset(trained_on)
    held_out: set[str] = set()
    for label, name in enumerate(class_names):
        contents = [digest for digest in class_of if class_of[digest] == label]
        if len(contents) < 2:
            raise ValueError(
                f"each class must have at least 2 different images, but {name!r} has "
                f"{len(contents)}"
            )
        count = min(max(round(validation * len(contents)), 1), len(contents) - 1)
        new = [digest for digest in contents if digest not in known]
        if not new:
            raise ValueError(
                f"each class must have images to validate on that the network was not "
                f"trained on, but {name!r} has none"
            )
        new.sort(
            key=lambda digest: hashlib.sha256(f"{seed} {digest}".encode()).digest()
        )
        held_out.update(new[:count])
    validates = np.array([digest in held_out for digest in digests])
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def fingerprint(train: Iterable[object], evaluation: Iterable[object]) -> str:
    """Ten hexadecimal digits that identify the images and labels of both splits."""
    digest = hashlib.sha256()
    for part in (train, evaluation):
        digest.update(repr(list(part)).encode())
    return digest.hexdigest()[:10]


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names for a message, the first few of many."""
    shown = "\n  ".join(names[:most])
    more = f"\n  and {len(names) - most} more" if len(names) > most else ""
    return f"\n  {shown}{more}"
