"""Metadata of a LiteRT file: its labels, and a description of its input and output.

MediaPipe, ML Kit and the Task Library read a table in the file's metadata, defined by
TensorFlow Lite's metadata_schema.fbs, and a ZIP archive appended to the file, from
which any ZIP tool extracts `labels.txt`. No small package has the schema's classes, so
the few tables needed are written here, field by field.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import flatbuffers

from mobilenet_tf.export.tflite.flatbuffer import File

LABELS = "labels.txt"
# From metadata_schema.fbs.
_NAME, _IDENTIFIER, _PARSER = "TFLITE_METADATA", b"M001", "1.0.0"
_AXIS_LABELS, _RGB, _IMAGE, _NORMALIZATION = 2, 1, 2, 1


def labelled(file: File, name: str, side: int, labels: Sequence[str] | None) -> bytes:
    """The bytes of a file with its metadata, and its labels where it classifies.

    Args:
        file: A file whose input is pixels from 0 to 255.
        name: Name of the network.
        side: Side of the input in pixels.
        labels: One for each output; None for features.
    """
    file.add_metadata(_NAME, _model(name, side, labels))
    content = io.BytesIO(file.packed())
    if labels is not None:
        with zipfile.ZipFile(content, "a") as archive:
            # With a fixed date, equal networks give equal files.
            archive.writestr(zipfile.ZipInfo(LABELS), "\n".join(labels) + "\n")
    return content.getvalue()


class _Tables(flatbuffers.Builder):
    """Writes tables bottom up: a table comes after those that it points to."""

    def table(self, fields: dict[int, tuple[str, int]]) -> tuple[str, int]:
        """A table of fields by their slot, each "offset", "byte" or "uint"."""
        add = {
            "offset": self.PrependUOffsetTRelativeSlot,
            "byte": self.PrependUint8Slot,
            "uint": self.PrependUint32Slot,
        }
        self.StartObject(1 + max(fields))
        for slot, (kind, value) in fields.items():
            add[kind](slot, value, 0)
        return "offset", self.EndObject()

    def text(self, value: str) -> tuple[str, int]:
        return "offset", self.CreateString(value)

    def list_of(self, *tables: tuple[str, int]) -> tuple[str, int]:
        self.StartVector(4, len(tables), 4)
        for _, offset in reversed(tables):
            self.PrependUOffsetTRelative(offset)
        return "offset", self.EndVector()

    def numbers(self, value: float) -> tuple[str, int]:
        """A list of a single number, which holds for all channels."""
        self.StartVector(4, 1, 4)
        self.PrependFloat32(value)
        return "offset", self.EndVector()


def _model(name, side, labels):
    tables = _Tables()
    graph = {
        2: tables.list_of(_image(tables, side)),
        3: tables.list_of(_output(tables, labels)),
    }
    model = {
        0: tables.text(name),
        3: tables.list_of(tables.table(graph)),
        7: tables.text(_PARSER),
    }
    tables.Finish(tables.table(model)[1], _IDENTIFIER)
    return bytes(tables.Output())


def _image(tables, side):
    size = tables.table({0: ("uint", side), 1: ("uint", side)})
    properties = tables.table({0: ("byte", _RGB), 1: size})
    # Mean 0 and standard deviation 1: readers pass pixels on, the network scales.
    options = tables.table({0: tables.numbers(0.0), 1: tables.numbers(1.0)})
    unit = tables.table({0: ("byte", _NORMALIZATION), 1: options})
    highest_and_lowest = {0: tables.numbers(255.0), 1: tables.numbers(0.0)}
    return tables.table(
        {
            0: tables.text("image"),
            1: tables.text("RGB from 0 to 255"),
            3: tables.table({0: ("byte", _IMAGE), 1: properties}),
            4: tables.list_of(unit),
            5: tables.table(highest_and_lowest),
        }
    )


def _output(tables, labels):
    if labels is None:
        return tables.table({0: tables.text("features")})
    file = tables.table({0: tables.text(LABELS), 2: ("byte", _AXIS_LABELS)})
    return tables.table({0: tables.text("classes"), 6: tables.list_of(file)})
