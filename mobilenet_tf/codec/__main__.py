"""Compressed networks on the command line.

    python -m mobilenet_tf.codec encode model.keras --output=model.mntc
    python -m mobilenet_tf.codec decode model.mntc --output=model.keras
    python -m mobilenet_tf.codec inspect model.mntc

`encode` also takes the SqueezeNet authors' compressed file, which ends in `.net`.
"""

import sys
import zipfile
from pathlib import Path

import keras
from absl import app, flags

import mobilenet_tf
from mobilenet_tf import codec

flags.DEFINE_string("output", None, "The file to write; it must not exist.")
flags.DEFINE_integer(
    "max_weights", codec.MAX_WEIGHTS, "Refuse networks with more weights.", 1
)
FLAGS = flags.FLAGS


def encode(path: Path, output: Path) -> str:
    """Convert a Keras file to a compressed one."""
    if path.suffix == ".net":
        model = mobilenet_tf.build_squeezenet(weights=path)
    else:
        model = _keras_model(path)
    size = codec.save(model, output, FLAGS.max_weights)
    bits = 8 * size / model.count_params()
    return (
        f"written: {output}, {size:,} bytes, {bits:.2f} bits per weight; "
        f"{path} has {path.stat().st_size:,}"
    )


def _keras_model(path):
    with path.open("rb") as file:
        # Keras calls a file that is no archive "not found".
        if path.suffix == ".keras" and not zipfile.is_zipfile(file):
            raise ValueError("a .keras file must be a zip archive, but it is not")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # a damaged archive can make Keras raise anything
        raise ValueError(f"Keras cannot load it: {error}") from error


def decode(path: Path, output: Path) -> str:
    """Convert a compressed file to a Keras one."""
    codec.load(path, FLAGS.max_weights).save(output)
    return f"written: {output}"


def inspect(path: Path, _: Path) -> str:
    """List the tensors of a compressed file, one per line."""
    lines = []
    for name, kind, shape, size in codec.inspect(path.read_bytes(), FLAGS.max_weights):
        sides = "x".join(map(str, shape))
        lines.append(f"{name:32} {sides:>14} {kind:>20} {size:>10,} bytes")
    return "\n".join([*lines, f"{path.stat().st_size:,} bytes in all"])


COMMANDS = {"encode": encode, "decode": decode, "inspect": inspect}


def main(arguments: list[str]) -> None:
    """Run one of the three commands."""
    names = " | ".join(COMMANDS)
    if len(arguments) != 3 or arguments[1] not in COMMANDS:
        sys.exit(f"codec: error: the arguments must be {names} and a FILE")
    command, path = arguments[1], Path(arguments[2])
    try:
        if command != "inspect" and FLAGS.output is None:
            raise ValueError(f"{command} needs --output=FILE")
        output = Path(FLAGS.output or "")
        if command != "inspect" and output.exists():
            raise ValueError(f"output must not exist yet, got {str(output)!r}")
        print(COMMANDS[command](path, output))
    except (OSError, ValueError) as error:
        file = "" if str(path) in str(error) else f"{path}: "
        sys.exit(f"codec: error: {file}{error}")


if __name__ == "__main__":
    app.run(main)
