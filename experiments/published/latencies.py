"""Latencies of MobileNet and SqueezeNet on phones and boards, measured by others.

`ncnn.csv` holds every device of benchmark/README.md of github.com/Tencent/ncnn as read
on 2026-11-24: the version of 363,743 characters, whose newest entries are of 2023.
Columns stand in the file's order. The networks are SqueezeNet 1.1 at 227 px and
MobileNet 1.0 at 224 px, in float32 and int8; the figures are average milliseconds per
image. "big cores" and "little cores" are what the benchmark was told to use. On a GPU
ncnn computes float networks only: int8 is left out there. The file does not date its
measurements; they are of different versions of ncnn.
"""

import csv
from pathlib import Path
from typing import NamedTuple

SOURCE = "github.com/Tencent/ncnn, benchmark/README.md, as read on 2026-11-24"


class Latency(NamedTuple):
    """Milliseconds per image on a device; None where not measured.

    Attributes:
        device: As the source names it.
        unit: "CPU", "big cores", "little cores", "GPU" or the name of the GPU.
        threads: Of the processor.
        squeezenet: SqueezeNet 1.1 at 227 px, float32.
        squeezenet_int8: The same in int8.
        mobilenet: MobileNet 1.0 at 224 px, float32.
        mobilenet_int8: The same in int8.
    """

    device: str
    unit: str
    threads: int
    squeezenet: float
    squeezenet_int8: float | None
    mobilenet: float
    mobilenet_int8: float | None


def _read(path: Path) -> tuple[Latency, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return tuple(
            Latency(
                row["device"],
                row["unit"],
                int(row["threads"]),
                float(row["squeezenet"]),
                _number(row["squeezenet_int8"]),
                float(row["mobilenet"]),
                _number(row["mobilenet_int8"]),
            )
            for row in rows
        )


def _number(text: str) -> float | None:
    return float(text) if text else None


LATENCIES = _read(Path(__file__).with_name("ncnn.csv"))
