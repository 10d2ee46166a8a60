"""LiteRT files, used as their users use them."""

import struct
import zipfile

import numpy as np
import pytest
from conftest import outputs_of

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import images
from mobilenet_tf.export.tflite import metadata
from mobilenet_tf.export.tflite.converter import converted
from mobilenet_tf.export.tflite.flatbuffer import File
from mobilenet_tf.export.tflite.interpreter import run


@pytest.mark.parametrize("quantization", [None, "float16"])
def test_litert(small, quantization, tmp_path):
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "model.tflite"
    report = export.litert(small, path, quantization, labels=["cat", "dog", "fox"])
    pixels = np.stack([image[:64, :64] for image in images.default_images(3, seed=9)])
    expected = outputs_of(small, pixels / np.float32(127.5) - 1)
    np.testing.assert_allclose(run(path, pixels), expected, atol=report.tolerance)
    bytes_per_weight = path.stat().st_size / small.count_params()
    assert abs(bytes_per_weight - (2 if quantization else 4)) < 0.5
    assert zipfile.ZipFile(path).read("labels.txt") == b"cat\ndog\nfox\n"


def test_metadata_of_a_litert_file(small, tmp_path):
    """Read by the offsets of the format, not with the code that wrote it."""
    file = File(converted(small))
    metadata.labelled(file, "small", 64, ["a", "b", "c"])
    (entry,) = file.model.metadata  # the converter's own are dropped
    content = bytes(file.model.buffers[entry.buffer].data)
    assert content[4:8] == b"M001"

    def field(table, slot):
        vtable = table - struct.unpack_from("<i", content, table)[0]
        return table + struct.unpack_from("<H", content, vtable + 4 + 2 * slot)[0]

    def follow(place):
        return place + struct.unpack_from("<I", content, place)[0]

    def text(place):
        start = follow(place)
        (length,) = struct.unpack_from("<I", content, start)
        return content[start + 4 : start + 4 + length].decode()

    def first(place):
        return follow(follow(place) + 4)

    model = follow(0)
    assert text(field(model, 0)) == "small"
    graph = first(field(model, 3))
    image, output = first(field(graph, 2)), first(field(graph, 3))
    assert text(field(image, 0)) == "image"
    properties = follow(field(follow(field(image, 3)), 1))
    assert content[field(properties, 0)] == 1  # RGB
    size = follow(field(properties, 1))
    assert struct.unpack_from("<I", content, field(size, 0)) == (64,)
    labels = first(field(output, 6))
    assert text(field(labels, 0)) == "labels.txt"
    assert content[field(labels, 2)] == 2  # labels of an axis


def test_litert_arguments(small, tmp_path):
    with pytest.raises(ValueError, match="quantization must be one of None"):
        export.litert(small, tmp_path / "m.tflite", "int4")
    with pytest.raises(ValueError, match="data or representative_images must be given"):
        export.litert(small, tmp_path / "m.tflite", "int8")
    with pytest.raises(ValueError, match="path must end in"):
        export.litert(small, tmp_path / "model")
    with pytest.raises(ValueError, match="lanes must be an integer >= 1, got 0"):
        export.litert(small, tmp_path / "m.tflite", lanes=0)
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(H, W, 3\)"):
        export.litert(small, tmp_path / "m.tflite", images=[np.zeros((8, 8, 3))])
    with pytest.raises(ValueError, match="at least one image"):
        export.litert(small, tmp_path / "m.tflite", images=[])
    path = tmp_path / "m.tflite"
    for classes, message in (
        ([0], r"one class for each of 16 images, got an array of shape \(1,\)"),
        (np.zeros((16, 1), int), r"got an array of shape \(16, 1\)"),
        (["cat"] * 16, "classes must be integers from 0 to 2, got"),
        ([3] * 16, "classes must be integers from 0 to 2, got"),
    ):
        with pytest.raises(ValueError, match=message):
            export.litert(small, path, classes=classes)
    for given, message in (
        ({"images": "photos"}, "images must be a sequence of arrays, got 'photos'"),
        ({"images": [None]}, "images must be uint8 .* got NoneType"),
        ({"labels": "cat"}, "labels must be 3 names, .*got"),
        ({"labels": range(3)}, "labels must be names of one line each, got 0"),
        ({"labels": ["a\nb", "c", "d"]}, "labels must be names of one line each"),
    ):
        with pytest.raises(ValueError, match=message):
            export.litert(small, path, **given)
    features = mobilenet_tf.build(0.25, base_resolution=64, include_top=False)
    for given in ({"labels": ["a"]}, {"classes": [0] * 16}):
        with pytest.raises(ValueError, match="None for a network without a classifier"):
            export.litert(features, path, **given)
    (tmp_path / "m.tflite.md").touch()
    with pytest.raises(ValueError, match=r"must not exist yet, .*m\.tflite\.md'"):
        export.litert(small, tmp_path / "m.tflite")
