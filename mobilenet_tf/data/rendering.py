"""Small synthetic pictures that show what width and resolution buy.

A vignette is a fractal: the attractor of an iterated function system, three or four
affine maps that each draw the whole picture once more, smaller and turned. Fractals
have detail at every scale, as photographs have, and networks learn from them what
photographs need (arXiv 2101.08515). A class is a system; families of four classes
differ in their maps by little. So

- the first steps learn families, later ones tell their members apart, for which a wide
  network has more filters;
- a smaller input has no room for the finest branches.

Each picture has its own colours, place, turn, and maps that deviate a little from those
of the class. Everything is drawn with NumPy, so no asset is needed.
"""

from __future__ import annotations

import functools

import numpy as np

EMBEDDED = "vignettes"  # the data set of these pictures, in mobilenet_tf.data.embedded
FAMILIES, MEMBERS = 16, "abcd"
CLASSES: tuple[str, ...] = tuple(
    f"fractal_{family:02}{member}" for member in MEMBERS for family in range(FAMILIES)
)
SPLITS = {"train": 7168, "validation": 8064}  # pictures; multiples of len(CLASSES)
SIDE = 56  # pixels; a quarter of 224, so that the paper's four sides are whole numbers

DEPTHS = {3: 8, 4: 6}  # how often so many maps are applied: 6,561 and 4,096 points
LARGEST = 0.92  # singular value of a map; below 1, so that points gather
SPREAD = 0.08  # standard deviation of a member's maps from those of its family
DEVIATION = 0.02  # standard deviation of a picture's maps from those of its class
TURN = 0.3  # standard deviation of a picture's angle, in radians
ZOOM = 0.15  # standard deviation of what a picture is smaller by, as a share
MARGIN = 2  # pixels around most of the points
SHIFT = 2  # pixels that a picture is moved by, at most
NOISE = 0.03  # standard deviation per pixel, of full scale


def example(split: str, index: int, seed: int = 0) -> tuple[np.ndarray, int]:
    """Picture `index` of a split and its label, `-> ((56, 56, 3), label)`.

    A picture depends on nothing but the three arguments, so any one can be drawn alone.
    Labels go round the classes: every run of `len(CLASSES)` indices has each once.

    Args:
        split: "train" or "validation".
        index: Position in the split, from 0 to `SPLITS[split] - 1`.
        seed: Seed of the pictures, at least 0; the classes are always the same.

    Raises:
        ValueError: An argument is outside its range.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {tuple(SPLITS)}, got {split!r}")
    _check_integer("index", index, 0, SPLITS[split] - 1)
    _check_integer("seed", seed, 0, 2**32 - 1)
    label = index % len(CLASSES)
    rng = np.random.default_rng((seed, tuple(SPLITS).index(split), index))
    return render(label, rng), label


def render(label: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one picture of a class, `-> (56, 56, 3)` uint8.

    Args:
        label: Position in `CLASSES`.
        rng: Source of everything that varies within the class.

    Raises:
        ValueError: `label` is outside its range.
    """
    _check_integer("label", label, 0, len(CLASSES) - 1)
    maps = _changed(class_maps(label), DEVIATION, rng)
    points, shares = _attractor(maps)
    weights = _drawn(points, shares, len(maps), rng)
    total = weights.sum(0)
    ground, colours = rng.uniform(0, 0.35, 3), _palette(len(maps), rng)
    # A pixel that many points meet is opaque; its colour is that of their copies.
    opacity = (total / (total + 0.5 * total[total > 0].mean()))[..., None]
    colour = np.tensordot(weights / np.maximum(total, 1e-12), colours, (0, 0))
    picture = ground + opacity * (colour - ground)
    picture += rng.normal(0, NOISE, picture.shape)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


@functools.cache
def class_maps(label: int) -> np.ndarray:
    """The affine maps of a class, `-> (maps, 2, 3)`: a matrix and an offset each."""
    rng = np.random.default_rng((78, label))
    return _changed(_family(label % FAMILIES), SPREAD, rng)


@functools.cache
def _family(number):
    """Maps whose attractor fills a good part of its frame."""
    rng = np.random.default_rng((77, number))
    while True:
        maps = _random_maps(rng)
        points, _ = _attractor(maps)
        low, high = points.min(0), points.max(0)
        cells = np.floor((points - low) / (high - low).max() * 15.99) @ (1, 16)
        if len(np.unique(cells)) >= 70:  # of 256
            return maps


def _random_maps(rng):
    """Maps whose singular values make good fractals (arXiv 2110.03091, section 3.1)."""
    count = int(rng.choice(list(DEPTHS)))
    while True:
        singular = np.sort(rng.uniform(0, LARGEST, (count, 2)))[:, ::-1]
        if 5 <= 2 * (singular @ (1, 2)).sum() - count <= 6:
            break
    first, second = _rotations(rng.uniform(0, 2 * np.pi, (2, count)))
    signs = rng.choice((-1.0, 1.0), (count, 1, 2))
    matrices = first @ (singular[..., None] * second) * signs
    return np.concatenate([matrices, rng.uniform(-1, 1, (count, 2, 1))], axis=2)


def _rotations(angles):
    """`angles` -> matrices in two more axes."""
    rows = [[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _changed(maps, deviation, rng):
    """Maps that deviate at random: matrices by a share of each number."""
    noise = rng.normal(0, deviation, maps.shape)
    matrices, offsets = maps[..., :2] * (1 + noise[..., :2]), maps[..., 2:]
    largest = np.linalg.norm(matrices, 2, axis=(1, 2))[:, None, None]
    matrices = matrices * np.minimum(1, LARGEST / largest)
    return np.concatenate([matrices, offsets + noise[..., 2:]], axis=2)


def _attractor(maps):
    """Points of the attractor and their weights, those of each map in turn.

    A map has weight by the area that it leaves, and at least a little.
    """
    matrices, offsets = maps[..., :2], maps[..., 2]
    areas = np.abs(np.linalg.det(matrices)) + 0.02
    shares = (areas / areas.sum())[:, None]
    points, weights = np.zeros((1, 2)), np.ones(1)
    for _ in range(DEPTHS[len(maps)]):
        points = (points @ matrices.transpose(0, 2, 1) + offsets[:, None]).reshape(
            -1, 2
        )
        weights = (shares * weights).ravel()
    return points, weights


def _drawn(points, weights, maps, rng):
    """The weights that fall into each pixel, map by map, `-> (maps, side, side)`."""
    points = points @ _rotations(rng.normal(0, TURN))
    low, high = np.quantile(points, (0.01, 0.99), axis=0)
    size = (high - low).max() * (1 + abs(rng.normal(0, ZOOM)))
    middle = SIDE / 2 + rng.uniform(-SHIFT, SHIFT, 2)
    pixels = (points - (low + high) / 2) / size * (SIDE - 2 * MARGIN) + middle
    across, down = np.floor(pixels).astype(int).T
    inside = ((pixels >= 0) & (pixels < SIDE)).all(axis=1)
    copies = np.repeat(np.arange(maps), len(points) // maps)
    places = (copies * SIDE + down) * SIDE + across
    sums = np.bincount(places[inside], weights[inside], maps * SIDE**2)
    return sums.reshape(maps, SIDE, SIDE)


def _palette(count, rng):
    """Colours with hues far apart, `-> (count, 3)`."""
    hues = rng.uniform() + np.arange(count) / count + rng.normal(0, 0.05, count)
    values, saturations = rng.uniform((0.6, 0.4), (1.0, 0.9), (count, 2)).T[..., None]
    pure = 0.5 + 0.5 * np.cos(2 * np.pi * (hues[:, None] + np.arange(3) / 3))
    return values * (1 - saturations * (1 - pure))


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}")
