"""Small synthetic pictures whose classes need both fine detail and shape.

A vignette shows one emblem over a cluttered, textured background. Its class is the
conjunction of two properties:

- its filling: banded (level lines), striped (upright lines), checked or dotted. The
  finest repeat every four pixels: they blur when the picture is made smaller, so a low
  resolution multiplier pays for it;
- its outline: triangle, square or disc, seen as a whole, whatever the filling, the
  size and the colours.

Both survive a horizontal flip and a mild crop. Everything is drawn with numpy from
signed distances in pixels, so edges are anti-aliased and no asset is needed.
"""

from __future__ import annotations

from itertools import product

import numpy as np

EMBEDDED = "vignettes"  # the data set of these pictures, in mobilenet_tf.data.embedded
SHAPES = {"triangle": 3, "square": 4, "disc": 0}  # name: corners
FILLINGS = ("banded", "striped", "checked", "dotted")
CLASSES: tuple[str, ...] = tuple(
    f"{filling}_{shape}" for filling, shape in product(FILLINGS, SHAPES)
)
SPLITS = {"train": 3072, "validation": 1536}  # pictures; multiples of len(CLASSES)
SIDE = 64  # pixels; every length below is given at this side

PERIOD = (3.6, 10.0)  # of a filling, in pixels
RADIUS = (15.0, 22.0)  # of the disc with the emblem's area
CONTRAST = (0.4, 0.9)  # between the two tones of the emblem, of full scale
LOOSE_SHAPES = (2, 6)  # number of distractors, end excluded
NOISE = (0.0, 0.03)  # standard deviation per pixel, of full scale
TILT = 0.25  # largest turn of an emblem and of its filling, in radians
LUMA = np.array([0.299, 0.587, 0.114])


def example(split: str, index: int, seed: int = 0) -> tuple[np.ndarray, int]:
    """Picture `index` of a split and its label, `-> ((64, 64, 3), label)`.

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


def render(label: int, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """Draw one picture of a class, `-> (side, side, 3)` uint8.

    Args:
        label: Position in `CLASSES`.
        rng: Source of everything that varies within the class.
        side: Side of the picture in pixels, from 16 to 1024. The same generator state
            gives the same scene at every side, except for the pixel noise.

    Raises:
        ValueError: `label` or `side` is outside its range.
    """
    _check_integer("label", label, 0, len(CLASSES) - 1)
    _check_integer("side", side, 16, 1024)
    filling, shape = list(product(FILLINGS, SHAPES))[label]
    scene = Scene(rng, side)
    scene.draw_background()
    for _ in range(rng.integers(*LOOSE_SHAPES)):
        scene.draw_loose_shape()
    scene.draw_emblem(SHAPES[shape], filling)
    return scene.develop()


class Scene:
    """A canvas in [0, 1] and the tools to draw on it; lengths are in 64ths of it."""

    def __init__(self, rng: np.random.Generator, side: int):
        self.rng = rng
        self.pixel = SIDE / side  # width of a pixel in drawing units
        centres = (np.arange(side) + 0.5) * self.pixel
        self.x, self.y = np.meshgrid(centres, centres)
        self.canvas = np.zeros((side, side, 3))

    def draw_background(self) -> None:
        """A colour with two more blended in, by smooth noise at three scales."""
        self.canvas[:] = self.rng.uniform(0.15, 0.85, 3)
        for cells, strength in ((2, 0.7), (6, 0.5), (20, 0.3)):
            coverage = strength * self.smooth_noise(cells)
            self.blend(coverage, self.rng.uniform(0, 1, 3))

    def smooth_noise(self, cells: int) -> np.ndarray:
        """Value noise in [0, 1] from a grid of random knots, `-> (side, side)`."""
        knots = self.rng.uniform(0, 1, (cells + 1, cells + 1))
        position = self.x[0] * cells / SIDE
        weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(cells + 1)))
        return weights @ knots @ weights.T

    def draw_loose_shape(self) -> None:
        """A small plain distractor without outline, turned anyhow."""
        rng = self.rng
        centre, radius = rng.uniform(0, SIDE, 2), rng.uniform(2.5, 8)
        corners = rng.choice(tuple(SHAPES.values()))
        distance = self.distance(corners, centre, radius, rng.uniform(0, 2 * np.pi))
        tones = self.tones(rng.uniform(*CONTRAST))
        self.blend(rng.uniform(0.3, 0.8) * self.coverage(distance), tones[0])

    def draw_emblem(self, corners: int, filling: str) -> None:
        """The shape that the label is about: filled, with an outline in one tone."""
        rng = self.rng
        tones = self.tones(rng.uniform(*CONTRAST))
        centre = SIDE / 2 + rng.uniform(-6, 6, 2)
        angle = np.pi / 2 + rng.uniform(-TILT, TILT)
        distance = self.distance(corners, centre, rng.uniform(*RADIUS), angle)
        self.blend(self.coverage(distance), self.paint(filling, tones))
        self.blend(self.coverage(np.abs(distance) - 0.7), tones[0])

    def distance(
        self, corners: int, centre: np.ndarray, radius: float, angle: float
    ) -> np.ndarray:
        """Distance to the edge of a disc or of a polygon as large, inside negative."""
        x, y = self.x - centre[0], self.y - centre[1]
        if not corners:
            return np.hypot(x, y) - radius
        normals = angle + 2 * np.pi * np.arange(corners) / corners
        apothem = radius * np.sqrt(np.pi / (corners * np.tan(np.pi / corners)))
        sides = [np.cos(normal) * x + np.sin(normal) * y for normal in normals]
        return np.max(sides, axis=0) - apothem

    def paint(self, filling: str, tones: np.ndarray) -> np.ndarray:
        """A filling in two tones, `-> (side, side, 3)`."""
        period = np.exp(self.rng.uniform(*np.log(PERIOD)))
        angle = self.rng.uniform(-TILT, TILT)
        # Checks stand on a corner, and are larger: their rows and columns then repeat
        # as often as the lines do, and no filling is finer than another.
        if filling == "checked":
            angle, period = angle + np.pi / 4, period * np.sqrt(2)
        across = np.cos(angle) * self.x + np.sin(angle) * self.y
        down = np.cos(angle) * self.y - np.sin(angle) * self.x
        across, down = self.wave(across, period), self.wave(down, period)
        share = {
            "banded": (1 + down) / 2,
            "striped": (1 + across) / 2,
            "checked": (1 + across * down) / 2,
            "dotted": (1 + across) * (1 + down) / 4,
        }[filling]
        return tones[0] + (tones[1] - tones[0]) * share[..., None]

    def wave(self, position: np.ndarray, period: float) -> np.ndarray:
        """A wave between -1 and 1 whose edges are one pixel wide."""
        phase = 2 * np.pi * (position / period + self.rng.uniform())
        return np.clip(np.sin(phase) * period / (np.pi * self.pixel), -1, 1)

    def tones(self, contrast: float) -> np.ndarray:
        """Two random colours a given luma apart, in random order, `-> (2, 3)`."""
        colours = self.rng.uniform(0, 1, (2, 3))
        luma = self.rng.uniform(0, 1 - contrast) + np.array([0, contrast])
        colours += (luma - colours @ LUMA)[:, None]
        return self.rng.permutation(np.clip(colours, 0, 1))

    def coverage(self, distance: np.ndarray) -> np.ndarray:
        """Share of each pixel that lies inside, from the distance to the edge."""
        return np.clip(0.5 - distance / self.pixel, 0, 1)

    def blend(self, coverage: np.ndarray, paint: np.ndarray) -> None:
        """Lay a colour or a picture over the canvas."""
        self.canvas += coverage[..., None] * (paint - self.canvas)

    def develop(self) -> np.ndarray:
        """The canvas with sensor noise, `-> (side, side, 3)` uint8."""
        noise = self.rng.normal(0, self.rng.uniform(*NOISE), self.canvas.shape)
        return (np.clip(self.canvas + noise, 0, 1) * 255 + 0.5).astype(np.uint8)


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}")
