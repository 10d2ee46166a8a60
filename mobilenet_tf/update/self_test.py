"""The self-test: a network must give the expected class for a stored image.

The network runs in a process of its own, which may crash or hang without harm.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from mobilenet_tf.files import archive
from mobilenet_tf.update import releases

SECONDS = 120.0
_LARGEST_SIDE = 1024
_PROGRAM = Path(__file__).with_name("self_test_process.py")
# Members of the ZIP archives that the two kinds of files are or end with.
_NAMES = {".keras": "mobilenet_tf.json", ".tflite": "labels.txt"}


class SelfTestError(ValueError):
    """A network fails its self-test; the message says how."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A self-test that a network has passed.

    Attributes:
        image: The image as a PNG file.
        expected: Index of the class.
        label: Its name.
    """

    image: Path
    expected: int
    label: str


def check_file(argument: str, path: Path) -> None:
    """Raise ValueError unless a file is there whose format has a self-test."""
    if path.suffix not in releases.SUFFIXES or not path.is_file():
        raise ValueError(
            f"{argument} must be an existing file ending in "
            f"{' or '.join(releases.SUFFIXES)}, got {str(path)!r}"
        )


def run(
    network: Path,
    image: Path,
    expected: int | None,
    label: str,
    seconds: float = SECONDS,
) -> None:
    """Check that a network gives a class for an image.

    Args:
        network: A `.keras` or LiteRT file.
        image: A PNG file.
        expected: Index of the class; None where any will do, as long as it runs.
        label: Its name, for messages.
        seconds: How long the network may take, its loading included.

    Raises:
        ImportError: What runs the file is not installed.
        SelfTestError: The network fails.
    """
    best = _result(network, image, seconds)["best"]
    if expected is not None and best != expected:
        name = _name(class_names(network), best)
        raise SelfTestError(f"the network gives the class {name}, expected {label!r}")


def prepare(
    network: Path, photograph: Path, expected: str | int, folder: Path
) -> Prepared:
    """Make a self-test of a photograph, and check that the network passes it.

    Args:
        network: A `.keras` or LiteRT file.
        photograph: An image file.
        expected: Name or index of the class.
        folder: Where the image is written.

    Raises:
        ImportError: What runs the file is not installed.
        ValueError: The photograph cannot be read, the class is unknown, or the network
            does not give it.
    """
    names = class_names(network)
    index = _index(names, expected)
    image = folder / "self_test.png"
    _write_png(photograph, image, _LARGEST_SIDE)
    # As large as the network takes it, as each device downloads it.
    _write_png(photograph, image, _result(network, image, SECONDS)["side"])
    prepared = Prepared(image, index, _name(names, index))
    try:
        run(network, image, index, prepared.label)
    except SelfTestError as error:
        raise ValueError(
            f"path must be a network that passes its self-test: of {photograph} {error}"
        ) from error
    return prepared


def class_names(network: Path) -> tuple[str, ...]:
    """The class names in a file of this project; none where it holds none."""
    if not zipfile.is_zipfile(network):
        return ()
    try:
        content = archive.read(network, _NAMES[network.suffix])
        if content is None:
            return ()
        if network.suffix == ".keras":
            return tuple(map(str, json.loads(content)["class_names"]))
        return tuple(content.decode().splitlines())
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{str(network)!r} is damaged: {error}") from error


def _index(names: tuple[str, ...], expected: str | int) -> int:
    if expected in names:
        return names.index(str(expected))
    if str(expected).isdecimal() and (not names or int(expected) < len(names)):
        return int(expected)
    among = f"one of {', '.join(names[:10])}" if names else "its index"
    raise ValueError(f"expected must be a class, {among}; got {expected!r}")


def _name(names: tuple[str, ...], index: int) -> str:
    return names[index] if index < len(names) else str(index)


def _write_png(photograph: Path, path: Path, side: int) -> None:
    """The central square of a photograph, no larger than `side`."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(photograph) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise ValueError(
            f"image {str(photograph)!r} cannot be read: {error}"
        ) from error
    side = min(side, *image.size)
    ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS).save(path)


def _result(network: Path, image: Path, seconds: float) -> dict[str, Any]:
    """What running a network on an image gives: the best class, the side that suits."""
    result = _printed(network, image, seconds)
    if "missing" in result:
        raise ImportError(
            f"the self-test of a {network.suffix} file needs {result['missing']}; "
            "pip install 'mobilenet_tf[update]'"
        )
    if "error" in result:
        raise SelfTestError(f"the network cannot be run: {result['error']}")
    return result


def _printed(network: Path, image: Path, seconds: float) -> dict[str, Any]:
    """What the program prints, which runs in a process of its own."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    try:
        # -P: the modules beside the program are not to hide others of their names.
        process = subprocess.run(
            [sys.executable, "-P", _PROGRAM, network, image],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise SelfTestError(f"the network takes more than {seconds:g} s") from error
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise SelfTestError(f"running the network ends the process with {name}")
    if process.returncode:
        raise SelfTestError(f"the network cannot be run: {_last_line(process.stderr)}")
    return json.loads(process.stdout.splitlines()[-1])


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
