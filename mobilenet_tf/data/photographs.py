"""Image files and encoded images as upright 8-bit RGB: one reader for every use.

Training, evaluation, calibration, verification and prediction read photographs here, so
that all of them see the same pixels. Needs numpy and pillow only.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from mobilenet_tf.data.splitting import listed
from mobilenet_tf.data.threads import map_in_threads

# Formats are named because pillow knows others that are unsafe to open unasked.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif"),
    *(".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
}
# Found by `image_files`, so that such a photograph is an error and not passed over.
_UNSUPPORTED_SUFFIXES = {
    *(".heic", ".heif", ".avif", ".jxl", ".jp2"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw"),  # of cameras
}
_MODES_OF_8_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What pillow raises for damaged files.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,  # raised where warnings are errors
)


def read_image(
    source: str | os.PathLike | bytes, *, minimum_side: int | None = None
) -> np.ndarray:
    """Decode a photograph into upright 8-bit RGB.

    The EXIF orientation is applied. Grey is repeated in three channels; of 16 bits the
    upper 8 are kept; CMYK is converted without a colour profile; transparent pixels are
    composited on white, as viewers show them; of an animation the first frame is taken.

    Args:
        source: Path of a JPEG, PNG, WebP, BMP, GIF or TIFF file, or its content.
        minimum_side: Lets a JPEG be decoded at 1/2, 1/4 or 1/8 of its size, which is
            several times as fast, with height and width of at least this. None decodes
            every pixel.

    Returns:
        uint8 `(height, width, 3)`, from 0 to 255.

    Raises:
        ValueError: The image is missing, truncated, damaged, of an unsupported format
            or pixel type (32-bit, float, Lab), or has more than twice as many pixels as
            `PIL.Image.MAX_IMAGE_PIXELS` (179 megapixels). The message names the file.
    """
    file: io.BytesIO | str | os.PathLike
    if isinstance(source, bytes):
        name, file = f"image of {len(source):,} bytes", io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        name, file = f"image file {os.fspath(source)!r}", source
    else:
        raise ValueError(f"source must be a path or bytes, got {source!r}")
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if minimum_side is not None:
                image.draft(None, (minimum_side, minimum_side))
            return np.asarray(_rgb(_upright(image)))
    except UnidentifiedImageError as error:
        reason = f"it is none of {', '.join(_FORMATS)}"
        raise ValueError(f"{name} cannot be read: {reason}") from error
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{name} cannot be read: {reason}") from error


def from_pil(image: Image.Image) -> np.ndarray:
    """An image of pillow as `read_image` gives it.

    Raises:
        ValueError: It has an unsupported pixel type, or its file is damaged.
    """
    try:
        return np.asarray(_rgb(_upright(image)))
    except _DAMAGE as error:
        raise ValueError(f"the image of PIL cannot be read: {error}") from error


def image_files(folder: str | os.PathLike) -> list[Path]:
    """The image files below a folder, sorted by path.

    Files are chosen by their suffix. Hidden files and folders (".DS_Store", "._a.jpg")
    are passed over, other files too. Files of image formats that `read_image` does not
    support (HEIC, AVIF) are among them, so that they are not lost unnoticed.

    Raises:
        ValueError: There is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"folder must be an existing folder, got {str(folder)!r}")
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in _SUFFIXES | _UNSUPPORTED_SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and not file.is_dir()
    )


def unreadable(files: Collection[Path]) -> dict[Path, str]:
    """For each file that `read_image` refuses, what is wrong with it.

    JPEG files are decoded at an eighth of their size, which finds all damage in a
    fraction of the time.
    """

    def problem(file: Path) -> str | None:
        try:
            read_image(file, minimum_side=1)
        except ValueError as error:
            return str(error)
        return None

    problems = zip(files, map_in_threads(problem, files), strict=True)
    return {file: message for file, message in problems if message}


def readable(
    files: Collection[Path], skip_unreadable: bool, stacklevel: int = 2
) -> list[Path]:
    """The files that can be read; what cannot is one error or one warning.

    Args:
        files: Paths of image files.
        skip_unreadable: Warn of the others, with their names, instead of raising.
        stacklevel: Of that warning, counted from the caller.

    Raises:
        ValueError: Files cannot be read, all of which the message names.
    """
    problems = unreadable(files)
    if not problems:
        return list(files)
    lines = listed(list(problems.values()))
    if not skip_unreadable:
        raise ValueError(
            f"unreadable files: {len(problems)}; skip_unreadable=True leaves them out:"
            f"{lines}"
        )
    text = f"unreadable files left out: {len(problems)}{lines}"
    warnings.warn(text, stacklevel=stacklevel + 1)
    return [file for file in files if file not in problems]


def _upright(image: Image.Image) -> Image.Image:
    """The image as its EXIF orientation says that it is to be seen."""
    image.load()
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGE:  # the pixels are good; viewers ignore damaged EXIF data as well
        return image
    transpose = _ORIENTATIONS.get(orientation)
    return image if transpose is None else image.transpose(transpose)


def _rgb(image: Image.Image) -> Image.Image:
    """The image in 8-bit RGB."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype("uint8")).convert("RGB")
    if image.mode not in _MODES_OF_8_BITS:
        raise ValueError(f"pixels of pillow's mode {image.mode!r} are not supported")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
