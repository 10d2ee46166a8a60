"""Small synthetic pictures that show what width and resolution buy.

A vignette is a piece of cloth: noise with a spectrum of its own. That of natural
pictures, which falls with the frequency, is amplified or damped in 24 bands: lines of
four spacings in six directions. A class is 24 such gains, from which each picture
deviates. So

- each band tells some classes apart, no band all of them: a network learns from the
  first steps on, and a wider one weighs more of what it sees;
- the finest lines are 2.1 pixels apart: a smaller input blurs them, so a low resolution
  multiplier pays for it.

Tint and contrast are random. A mirrored picture is one of no class. Everything is drawn
with NumPy, so no asset is needed.
"""

from __future__ import annotations

import functools

import numpy as np

EMBEDDED = "vignettes"  # the data set of these pictures, in mobilenet_tf.data.embedded
CLASSES: tuple[str, ...] = tuple(f"cloth_{number:02}" for number in range(32))
SPLITS = {"train": 7200, "validation": 4032}  # pictures; multiples of len(CLASSES)
SIDE = 56  # pixels; a quarter of 224, so that the paper's four sides are whole numbers

PERIODS = np.geomspace(2.1, 7.0, 4)  # of lines, in pixels; the middles of the bands
DIRECTIONS = 6  # of lines, evenly spread over half a turn
BAND = 0.6  # standard deviation of a band, as a share of the step to the next
GAIN = 1.6  # standard deviation over the classes of a band's gain, a natural logarithm
DEVIATION = 0.6  # standard deviation of a picture's gains from those of its class
CONTRAST = (0.13, 0.22)  # standard deviation of the cloth, of full scale
NOISE = 0.02  # standard deviation per pixel, of full scale


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
    expected = class_gains()[label]
    gains = expected + rng.normal(0, DEVIATION, len(expected))
    tint = rng.uniform(0.4, 0.6, 3)
    picture = tint + rng.uniform(*CONTRAST) * _cloth(gains, rng)[..., None]
    picture += rng.normal(0, NOISE, picture.shape)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


@functools.cache
def class_gains() -> np.ndarray:
    """The gain of each band in each class, `-> (classes, bands)`; bands by spacing."""
    bands = len(PERIODS) * DIRECTIONS
    return np.random.default_rng(77).normal(0, GAIN, (len(CLASSES), bands))


def _cloth(gains, rng):
    """Noise whose bands have these gains, of variance 1, `-> (side, side)`."""
    spectrum, bands = _plane()
    noise = np.fft.rfft2(rng.normal(size=(SIDE, SIDE)))
    cloth = np.fft.irfft2(
        noise * spectrum * np.exp(np.tensordot(gains, bands, 1)), s=(SIDE, SIDE)
    )
    return cloth / cloth.std()


@functools.cache
def _plane():
    """Amplitude of natural pictures and share of each band, by spatial frequency.

    `-> (side, side // 2 + 1), (bands, side, side // 2 + 1)`
    """
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    frequencies = np.maximum(np.hypot(down, across), 1e-9)
    angles = np.arctan2(down, across)
    amplitudes = 1 / frequencies
    amplitudes[0, 0] = 0  # the mean is the tint's
    ratio, turn = PERIODS[1] / PERIODS[0], np.pi / DIRECTIONS
    bands = []
    for period in PERIODS:
        spacing = np.log(frequencies * period) / np.log(ratio)
        for index in range(DIRECTIONS):
            # A direction is the same half a turn on.
            away = (angles - index * turn + np.pi / 2) % np.pi - np.pi / 2
            squares = spacing**2 + (away / turn) ** 2
            bands.append(np.exp(-squares / (2 * BAND**2)))
    return amplitudes, np.array(bands)


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}")
