"""A program that runs a file in TensorFlow Lite Micro, in a process of its own.

    python tflm_process.py FOLDER ARENA_BYTES

It reads `model.tflite` and `inputs.npy`, int8 `(images, ...)`, from the folder, writes
`outputs.npy` there, and prints what the interpreter allocated on stderr. The
interpreter ends its process at many errors, which is why the process is not the
caller's. Nothing of this package is imported here, so that it starts at once.
"""

import sys
from pathlib import Path

import numpy as np


def main(folder: Path, arena_bytes: int) -> None:
    """Run the file on every input."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(
        str(folder / "model.tflite"), arena_size=arena_bytes
    )
    outputs = [np.empty((0, *interpreter.get_output_details(0)["shape"][1:]), "int8")]
    for values in np.load(folder / "inputs.npy", allow_pickle=False):
        interpreter.set_input(values[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).copy())
    np.save(folder / "outputs.npy", np.concatenate(outputs))
    interpreter.print_allocations()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
