"""Export a network with its weights from the command line.

    python -m mobilenet_tf.export --alpha=0.25 --base_resolution=128 \
        --weights=imagenet --format=litert_int8 --images=DIR --output=mobilenet.tflite

The file is verified on the photographs below the folder `--images`. For int8 they are
split: of the files in order of their paths, the 2nd, 4th, ... calibrate it and the 1st,
3rd, ... verify it. Where they lie in folders named as the classes, the accuracy of
network and file is measured on those that verify; they must not be training images.
"""

import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from absl import app, flags

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.arguments import only_flags
from mobilenet_tf.export.images import read_folder
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.verification import Verification

FORMATS: dict[str, Callable[..., Verification]] = {
    "saved_model": export.saved_model,
    "litert": export.litert,
    "litert_float16": functools.partial(export.litert, quantization="float16"),
    "litert_int8": functools.partial(export.litert, quantization="int8"),
    "micro": export.micro,
    "onnx": export.onnx,
}

flags.DEFINE_enum("network", "mobilenet", ["mobilenet", "squeezenet"], "What to build.")
flags.DEFINE_float("alpha", 1.0, "Width multiplier of MobileNet.")
flags.DEFINE_float("rho", 1.0, "Resolution multiplier of MobileNet.")
flags.DEFINE_integer("base_resolution", 224, "Side in pixels at rho 1.")
flags.DEFINE_string("version", "1.0", "Version of SqueezeNet.")
flags.DEFINE_integer("classes", 1000, "Number of classes.")
flags.DEFINE_bool("include_top", True, "Classes rather than features.")
flags.DEFINE_string("weights", None, "imagenet, or a file.", required=True)
flags.DEFINE_string("labels", None, "File with the name of a class in each line.")
flags.DEFINE_string(
    "data_description", None, "What the weights were trained on, for the model card."
)
flags.DEFINE_enum("format", "saved_model", list(FORMATS), "Kind of file.")
flags.DEFINE_string(
    "images", None, "Folder of photographs, not those trained on; needed for int8."
)
flags.DEFINE_float("min_agreement", 0.9, "Least share with the same class, for int8.")
flags.DEFINE_bool("float_output", True, "For int8, float32 outputs.")
flags.DEFINE_integer("lanes", 32, "For int8, channels that the processor does at once.")
flags.DEFINE_string("output", None, "Path of the file.", required=True)
FLAGS = flags.FLAGS


def build() -> keras.Model:
    """The network that the flags describe."""
    shared = {
        "classes": FLAGS.classes,
        "include_top": FLAGS.include_top,
        "weights": FLAGS.weights,
    }
    if FLAGS.network == "squeezenet":
        return mobilenet_tf.build_squeezenet(FLAGS.version, **shared)
    return mobilenet_tf.build(
        FLAGS.alpha, FLAGS.rho, base_resolution=FLAGS.base_resolution, **shared
    )


def arguments(model: keras.Model) -> dict[str, Any]:
    """What the flags say to an export, apart from model and path."""
    trained = "imagenet-1k" if FLAGS.weights == "imagenet" else None
    options: dict[str, Any] = {"data_description": FLAGS.data_description or trained}
    if FLAGS.labels:
        options["labels"] = Path(FLAGS.labels).read_text(encoding="utf-8").splitlines()
    quantized = FLAGS.format in ("litert_int8", "micro")
    if quantized:
        options["min_agreement"] = FLAGS.min_agreement
    if FLAGS.format == "litert_int8":
        options |= {"float_output": FLAGS.float_output, "lanes": FLAGS.lanes}
    if FLAGS.images:
        labels = Network.of(model, options.get("labels")).labels
        images, classes = read_folder(FLAGS.images, labels)
        verify = slice(None, None, 2 if quantized else 1)
        options |= {"images": images[verify], "classes": classes and classes[verify]}
        if quantized:
            options["representative_images"] = images[1::2]
    return options


def split(options: dict) -> str:
    """Which images did what."""
    if "images" not in options:
        return "verified on the default images; pass --images for your own"
    verified = f"{len(options['images'])} images of {FLAGS.images}"
    if "representative_images" not in options:
        return f"verified on {verified}"
    calibrated = len(options["representative_images"])
    return (
        f"verified on {verified} (1st, 3rd, ... by path), calibrated on the other "
        f"{calibrated} (2nd, 4th, ...)"
    )


def check(command: list[str]) -> None:
    """Reject flags that the chosen network or format ignores."""
    only_flags(command)
    other: tuple[str, ...] = ("version",)
    if FLAGS.network == "squeezenet":
        other = ("alpha", "rho", "base_resolution")
    for name in other:
        if FLAGS[name].present:
            raise ValueError(f"--network={FLAGS.network} has no --{name}")
    if FLAGS.format in ("litert_int8", "micro") and not FLAGS.images:
        raise ValueError(f"--images must be given for --format={FLAGS.format}")


def main(command: list[str]) -> None:
    """Build, export, print what the verification measured."""
    try:
        check(command)
        with warnings.catch_warnings():
            # Of a classifier that would be exported as it was never trained.
            warnings.filterwarnings("error", ".* keeps its initial weights")
            model = build()
        options = arguments(model)
        report = FORMATS[FLAGS.format](model, FLAGS.output, **options)
    except (ImportError, OSError, ValueError, UserWarning) as error:
        sys.exit(f"export: error: {error}")
    print(f"{report}\n{split(options)}")
    path = Path(FLAGS.output)
    print(f"written: {path}, {path}.json, {path}.md")


if __name__ == "__main__":
    app.run(main)
