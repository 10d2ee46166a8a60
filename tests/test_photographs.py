"""The reader of photographs: formats, pixel types, orientation, damage."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from mobilenet_tf.data import imagenet_photographs
from mobilenet_tf.data.photographs import image_files, read_image, unreadable

RAMP = np.arange(65536, dtype="uint16").reshape(256, 256)
SMOOTH = np.stack(np.mgrid[0:40, 0:56], axis=-1)[..., [0, 1, 1]].astype("uint8") * 4


def encoded(pixels, file_format="PNG", mode=None, **options):
    """Content of an image file that pillow writes."""
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, file_format, **options)
    return file.getvalue()


def png(width, height, bits, colour_type, rows):
    """Content of a PNG file, for what pillow does not write."""

    def chunk(name, data):
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {})],
)
def test_lossless_formats_keep_every_pixel(tmp_path, file_format, options):
    content = encoded(SMOOTH, file_format, **options)
    path = tmp_path / f"photograph.{file_format.lower()}"
    path.write_bytes(content)
    for source in (content, path, str(path)):
        pixels = read_image(source)
        assert pixels.dtype == "uint8"
        np.testing.assert_array_equal(pixels, SMOOTH)


def test_jpeg():
    pixels = read_image(encoded(SMOOTH, "JPEG", quality=95, subsampling=0))
    assert np.abs(pixels.astype(int) - SMOOTH).mean() < 2


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_and_palette(mode):
    grey = np.zeros((8, 6), "uint8")
    grey[2:5, 1:4] = 255
    pixels = read_image(encoded(grey, mode=mode))
    np.testing.assert_array_equal(pixels, np.repeat(grey[..., None], 3, axis=2))


def test_cmyk_jpeg_has_the_colours_of_the_photograph():
    pixels = read_image(encoded(SMOOTH, "JPEG", mode="CMYK", quality=95))
    assert np.abs(pixels.astype(int) - SMOOTH).mean() < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(mode):
    pixels = np.zeros((4, 6, 4), "uint8")
    pixels[:, :2, 3] = 255  # black on the left, transparent on the right
    options = {}
    if mode == "P":
        image = Image.fromarray((pixels[..., 3] // 255).astype("uint8"), "P")
        image.putpalette([0, 0, 0] * 2)
        file = io.BytesIO()
        image.save(file, "PNG", transparency=0, **options)
        content = file.getvalue()
    else:
        content = encoded(pixels, mode=mode)
    seen = read_image(content)
    assert (seen[:, :2] == 0).all() and (seen[:, 2:] == 255).all()


def test_half_transparent_pixels_are_blended():
    pixels = np.full((2, 2, 4), [200, 100, 0, 51], "uint8")  # a fifth opaque
    assert read_image(encoded(pixels))[0, 0].tolist() == [244, 224, 204]


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled(channels):
    """A ramp over all values: clipping would make it almost white (mean 254.5)."""
    if channels == 1:
        content = encoded(RAMP)
    else:
        rows = [np.repeat(row[:, None], 3, axis=1).astype(">u2") for row in RAMP]
        content = png(256, 256, 16, 2, [row.tobytes() for row in rows])
    pixels = read_image(content)
    assert pixels.mean() == pytest.approx(127.5)
    np.testing.assert_array_equal(pixels, np.repeat((RAMP >> 8)[..., None], 3, axis=2))


def test_16_bit_tiff_is_scaled():
    assert read_image(encoded(RAMP, "TIFF")).mean() == pytest.approx(127.5)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_other_pixel_types_are_refused(tmp_path, dtype):
    path = tmp_path / "depth.tiff"
    Image.fromarray(RAMP.astype(dtype)).save(path)
    with pytest.raises(
        ValueError, match=r"depth.tiff' cannot be read: pixels of .*mode"
    ):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    """Each file is stored turned so that its EXIF tag turns it back."""
    as_stored = {
        1: SMOOTH,
        2: SMOOTH[:, ::-1],
        3: SMOOTH[::-1, ::-1],
        4: SMOOTH[::-1],
        5: SMOOTH.swapaxes(0, 1),
        6: np.rot90(SMOOTH, 1),
        7: SMOOTH[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(SMOOTH, -1),
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    for name, options in (("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {})):
        path = tmp_path / f"turned.{name.lower()}"
        Image.fromarray(as_stored).save(path, exif=exif, **options)
        pixels = read_image(path)
        assert pixels.shape == SMOOTH.shape
        assert np.abs(pixels.astype(int) - SMOOTH).mean() < 4


def test_damaged_exif_is_ignored():
    content = encoded(SMOOTH, "JPEG", exif=b"Exif\0\0no EXIF at all")
    assert read_image(content).shape == SMOOTH.shape


def test_animations_give_their_first_frame():
    frames = [Image.fromarray(np.full((8, 8), level, "uint8")) for level in (0, 255)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert read_image(file.getvalue()).max() == 0


@pytest.mark.parametrize(("minimum_side", "height"), [(None, 80), (20, 20), (21, 40)])
def test_jpeg_is_decoded_smaller_on_request(minimum_side, height):
    large = np.repeat(np.repeat(SMOOTH, 2, axis=0), 2, axis=1)
    pixels = read_image(encoded(large, "JPEG"), minimum_side=minimum_side)
    assert pixels.shape == (height, height * 56 // 40, 3)
    assert pixels.mean() == pytest.approx(SMOOTH.mean(), abs=2)


BOMB = png(60_000, 60_000, 8, 2, [b"\0" * 1000])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(RAMP)[:300], "image file is truncated"),
        (encoded(SMOOTH, "JPEG")[:600], "Truncated File Read"),  # in the header
        (encoded(SMOOTH, "JPEG")[:-20], "image file is truncated"),  # in the pixels
        (encoded(SMOOTH, "WEBP")[:60], "could not create decoder"),
        (b"", "it is none of JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is none of JPEG"),
        (BOMB, r"3600000000 pixels\) exceeds limit"),
    ],
    ids=["png", "header", "pixels", "webp", "empty", "postscript", "bomb"],
)
def test_damaged_files_are_named(tmp_path, content, reason):
    path = tmp_path / "photograph.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"photograph.jpg' cannot be read.*{reason}"):
        read_image(path)
    with pytest.raises(ValueError, match=f"image of {len(content):,} bytes cannot be"):
        read_image(content)


def test_what_is_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.png' cannot be read: No such file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_image(tmp_path)
    with pytest.raises(ValueError, match="source must be a path or bytes, got 3"):
        read_image(3)


def test_image_files(tmp_path):
    names = ["b.JPG", "a.jpeg", "sub/c.png", "sub/d.webp", "phone.heic"]
    names += ["sub/e.jfif", "camera.CR2"]
    hidden = [".DS_Store", "._a.jpg", ".cache/e.jpg", "notes.txt", "sub/Thumbs.db"]
    for name in [*names, *hidden]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    files = image_files(tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in files] == sorted(names)
    with pytest.raises(ValueError, match="folder must be an existing folder, got"):
        image_files(tmp_path / "nowhere")


def test_all_unreadable_files_are_listed(tmp_path):
    contents = {"a.jpg": encoded(SMOOTH, "JPEG"), "b.png": encoded(SMOOTH)[:90]}
    for name, content in {**contents, "c.heic": b"ftypheic"}.items():
        (tmp_path / name).write_bytes(content)
    problems = unreadable(image_files(tmp_path))
    assert len(problems) == 2
    assert [file.name for file in problems] == ["b.png", "c.heic"]
    assert "c.heic' cannot be read" in problems[tmp_path / "c.heic"]


def test_imagenet_folder_with_odd_photographs(tmp_path):
    """16 bits, EXIF orientation and damage, as everywhere else."""
    folder = tmp_path / "n01440764"
    folder.mkdir()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    (folder / "deep.png").write_bytes(encoded(RAMP))
    (folder / "turned.jpg").write_bytes(encoded(SMOOTH, "JPEG", exif=exif))
    photographs = imagenet_photographs.from_folder(tmp_path)
    (deep, label), (turned, _) = photographs.images.as_numpy_iterator()
    assert (label, turned.shape) == (0, (56, 40, 3))
    assert deep.mean() == pytest.approx(127.5)
    (folder / "cut.jpg").write_bytes(encoded(SMOOTH, "JPEG")[:600])
    with pytest.raises(ValueError, match=f"{os.sep}cut.jpg' cannot be read"):
        imagenet_photographs.from_folder(tmp_path)
