"""Running files in TensorFlow Lite Micro, the interpreter of microcontrollers.

It is the interpreter that runs on the device, with its reference kernels, on this
machine and in a process of its own: many of its errors end the process.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

from mobilenet_tf.export import tflm_process

# Of a first run, which measures what is needed; only pages that are used cost memory.
_AMPLE_BYTES = 2**30


class TFLMError(ValueError):
    """TensorFlow Lite Micro cannot run a file; the message is the interpreter's."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What the interpreter gave and allocated.

    Attributes:
        outputs: int8 `(images, ...)`.
        persistent_bytes: What it needs as long as it exists: the state of operators,
            such as a multiplier and a shift for every channel of a convolution, and
            tables of tensors and operators.
        non_persistent_bytes: Activations, which share their memory.
    """

    outputs: np.ndarray
    persistent_bytes: int
    non_persistent_bytes: int

    @property
    def arena_bytes(self) -> int:
        """The least arena, to the byte."""
        return self.persistent_bytes + self.non_persistent_bytes


def run(content: bytes, inputs: np.ndarray, arena_bytes: int = _AMPLE_BYTES) -> Run:
    """Run a file on every input, one by one.

    Args:
        content: The bytes of a `.tflite` file with one input and one output of int8.
        inputs: int8 `(images, ...)`; with no images, memory is allocated only.
        arena_bytes: Of the memory that the interpreter may use.

    Raises:
        TFLMError: The interpreter cannot run the file, or not in so small an arena.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(content)
        np.save(folder / "inputs.npy", inputs)
        # -P: the modules beside the program are not to hide others of their names.
        command = [sys.executable, "-P", tflm_process.__file__, name, str(arena_bytes)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode:
            raise TFLMError(_message(process))
        outputs = np.load(folder / "outputs.npy", allow_pickle=False)
    sizes = dict(re.findall(r"Arena allocation (\w+) (\d+) bytes", process.stderr))
    return Run(outputs, int(sizes["tail"]), int(sizes["head"]))


def measure(content: bytes, inputs: np.ndarray) -> Run:
    """Run a file with the least arena that the interpreter says it needs.

    Args:
        content: As for `run`.
        inputs: As for `run`.

    Raises:
        TFLMError: The interpreter cannot run the file.
    """
    needed = run(content, inputs[:1]).arena_bytes
    return run(content, inputs, needed)


def version() -> str:
    """Version of the tflite-micro package."""
    return metadata.version("tflite-micro")


def _message(process):
    """What the interpreter or Python printed last."""
    lines = [line.strip() for line in process.stderr.splitlines() if line.strip()]
    if process.returncode < 0:  # by a signal, without an exception
        return "; ".join([*lines[-2:], "it ended its own process"])
    start = next((i for i, line in enumerate(lines) if line.startswith("Trace")), 0)
    return "; ".join([*lines[max(start - 2, 0) : start], *lines[-1:]])
