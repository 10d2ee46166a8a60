"""Export a network with its weights from the command line.

    python -m mobilenet_tf.export --alpha=0.25 --base_resolution=128 \
        --weights=imagenet --format=litert_int8 --images=DIR --output=mobilenet.tflite

Photographs in the folder `--images` prove the file; int8 is calibrated on every other
one of them.
"""

import functools
import sys

from absl import app, flags

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import parity

FORMATS = {
    "saved_model": export.saved_model,
    "litert": export.litert,
    "litert_float16": functools.partial(export.litert, quantization="float16"),
    "litert_int8": functools.partial(export.litert, quantization="int8"),
}

flags.DEFINE_enum("network", "mobilenet", ["mobilenet", "squeezenet"], "What to build.")
flags.DEFINE_float("alpha", 1.0, "Width multiplier of MobileNet.")
flags.DEFINE_float("rho", 1.0, "Resolution multiplier of MobileNet.")
flags.DEFINE_integer("base_resolution", 224, "Side in pixels at rho 1.")
flags.DEFINE_string("version", "1.0", "Version of SqueezeNet.")
flags.DEFINE_integer("classes", 1000, "Number of classes.")
flags.DEFINE_string("weights", None, "imagenet, or a file.", required=True)
flags.DEFINE_enum("format", "saved_model", list(FORMATS), "Kind of file.")
flags.DEFINE_string("images", None, "Folder of photographs; needed for int8.")
flags.DEFINE_string("output", None, "Path of the file.", required=True)
FLAGS = flags.FLAGS


def images() -> dict:
    """The photographs of `--images` as arguments of an export."""
    if FLAGS.images is None:
        return {}
    found = parity.read_photographs(FLAGS.images)
    if FLAGS.format != "litert_int8":
        return {"images": found}
    return {"images": found[::2], "representative_images": found[1::2]}


def main(_) -> None:
    """Build, export, print the parity report."""
    try:
        if FLAGS.network == "mobilenet":
            model = mobilenet_tf.build(
                FLAGS.alpha,
                FLAGS.rho,
                base_resolution=FLAGS.base_resolution,
                classes=FLAGS.classes,
                weights=FLAGS.weights,
            )
        else:
            model = mobilenet_tf.build_squeezenet(
                FLAGS.version, classes=FLAGS.classes, weights=FLAGS.weights
            )
        report = FORMATS[FLAGS.format](model, FLAGS.output, **images())
    except ValueError as error:
        sys.exit(f"export: error: {error}")
    print(report)
    print(f"written: {FLAGS.output}, {FLAGS.output}.json, {FLAGS.output}.md")


if __name__ == "__main__":
    app.run(main)
