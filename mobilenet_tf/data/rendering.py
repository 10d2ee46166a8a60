"""Small synthetic pictures that show what width and resolution buy.

A vignette is a disc on a ground. Both are covered with wobbly lines, fine or coarse, in
one of six directions, and the class is the pair of the two. So

- there are 144 classes of one kind, which ask for width: lines of each direction and
  spacing, inside of the disc and outside;
- fine lines are a few pixels apart: a smaller input blurs them, so a low resolution
  multiplier pays for it.

Spacing (within its range), tint, contrast and the place of the disc are random. A
mirrored picture is one of another class. Everything is drawn with NumPy, so no asset
is needed.
"""

from __future__ import annotations

import functools
from itertools import product

import numpy as np

EMBEDDED = "vignettes"  # the data set of these pictures, in mobilenet_tf.data.embedded
PERIODS = {"fine": (2.4, 3.6), "coarse": (5.0, 7.5)}  # of lines, in pixels
DIRECTIONS = 6  # of lines, evenly spread over half a turn
# Spacing, and degrees from upright.
LINES = tuple(
    f"{spacing}_{180 * index // DIRECTIONS}"
    for spacing, index in product(PERIODS, range(DIRECTIONS))
)
CLASSES: tuple[str, ...] = tuple(
    f"{disc}_on_{ground}" for disc, ground in product(LINES, LINES)
)
SPLITS = {"train": 7200, "validation": 2016}  # pictures; multiples of len(CLASSES)
SIDE = 56  # pixels; a quarter of 224, so that the paper's four sides are whole numbers

RADIUS = (15.0, 18.5)  # of the disc, in pixels
OFFSET = 4.5  # largest distance of the disc from the middle, in pixels, each way
PERIOD_SPREAD = 0.08  # of the lines of one surface, as a factor (log-normal)
TURN = 0.4  # largest turn of all lines, as a share of the step between directions
WOBBLE = 0.08  # standard deviation of single lines' directions, in radians
CONTRAST = (0.6, 1.0)  # between the darkest and the brightest line, of full scale
NOISE = 0.04  # standard deviation per pixel, of full scale


def example(split: str, index: int, seed: int = 0) -> tuple[np.ndarray, int]:
    """Picture `index` of a split and its label, `-> ((56, 56, 3), label)`.

    A picture depends on nothing but the three arguments, so any one can be drawn alone.
    Labels go round the classes: every run of `len(CLASSES)` indices has each once.

    Args:
        split: "train" or "validation".
        index: Position in the split, from 0 to `SPLITS[split] - 1`.
        seed: Seed of the whole data set, at least 0.

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
    inside = _disc(rng)[..., None]
    disc, ground = (_surface(lines, rng) for lines in divmod(label, len(LINES)))
    picture = ground + inside * (disc - ground)
    picture += rng.normal(0, NOISE, picture.shape)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def _disc(rng):
    """Share of each pixel that lies in the disc, `-> (side, side)`."""
    radius = rng.uniform(*RADIUS)
    y, x = SIDE / 2 + rng.uniform(-OFFSET, OFFSET, 2)
    centres = np.arange(SIDE) + 0.5
    distance = np.hypot(centres[:, None] - y, centres - x) - radius
    return np.clip(0.5 - distance, 0, 1)


def _surface(lines, rng):
    """A tinted surface with lines, about in [0, 1], `-> (side, side, 3)`.

    Lines are dark and bright in all three channels alike. Where each has a contrast of
    its own, networks learn them later.
    """
    spacing, direction = divmod(lines, DIRECTIONS)
    turn = rng.uniform(-TURN, TURN)
    period = np.exp(rng.uniform(*np.log(list(PERIODS.values())[spacing])))
    height = _lines(np.pi * (direction + turn) / DIRECTIONS, 1 / period, rng)
    tint = rng.uniform(0.4, 0.6, 3)
    return tint + rng.uniform(*CONTRAST) / 2 * np.tanh(height)[..., None]


def _lines(angle, frequency, rng):
    """White noise of which one direction and one frequency are left, of variance 1."""
    frequencies, angles = _plane()
    # A direction is the same half a turn on.
    away = (angles - angle + np.pi / 2) % np.pi - np.pi / 2
    spread = np.log(frequencies / frequency) / PERIOD_SPREAD
    kept = np.exp(-((away / WOBBLE) ** 2 + spread**2) / 2)
    noise = rng.normal(size=(SIDE, SIDE))
    lines = np.fft.irfft2(np.fft.rfft2(noise) * kept, s=noise.shape)
    return lines / lines.std()


@functools.cache
def _plane():
    """Frequency in cycles per pixel and angle of each coefficient of a picture."""
    down = np.fft.fftfreq(SIDE)[:, None]
    across = np.fft.rfftfreq(SIDE)[None]
    return np.maximum(np.hypot(down, across), 1e-9), np.arctan2(down, across)


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}")
