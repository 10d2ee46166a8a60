"""Write a file to deploy: LiteRT, ONNX or SavedModel, verified before it appears.

Of the photographs below `--images`, those that the network was not trained on verify
the file and measure its accuracy, and those that it was trained on calibrate int8.
Where the file of the network does not say which these are, the 1st, 3rd, ... of the
photographs in order of their paths verify it, and the 2nd, 4th, ... calibrate int8.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from mobilenet_tf import export, files, processor
from mobilenet_tf.cli import datasets, networks
from mobilenet_tf.cli.flags import note, written
from mobilenet_tf.export.images import read_folder
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.verification import Verification
from mobilenet_tf.models import keras_file

USAGE = "[MODEL.keras] --format=FORMAT [--images=DIR] [--output=PATH] [flags]"
ARGUMENTS = {"path": "--output"}

FORMATS: dict[str, Callable[..., Verification]] = {
    "saved_model": export.saved_model,
    "litert": export.litert,
    "litert_float16": functools.partial(export.litert, quantization="float16"),
    "litert_int8": functools.partial(export.litert, quantization="int8"),
    "micro": export.micro,
    "onnx": export.onnx,
}
_ENDS = {
    "saved_model": "_saved_model",
    "litert": ".tflite",
    "litert_float16": "_float16.tflite",
    "litert_int8": "_int8.tflite",
    "micro": "_micro.tflite",
    "onnx": ".onnx",
}
# What a format takes beside the arguments of all; the first two are int8.
_FLAGS = {
    "litert_int8": ("min_agreement", "float_output", "lanes"),
    "micro": ("min_agreement", "logits"),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    networks.add_file(parser, required=False)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        metavar="FORMAT",
        help=", ".join(FORMATS),
    )
    datasets.add_folder(parser, "folder of photographs; needed for int8")
    parser.add_argument(
        "--output", metavar="PATH", type=Path, help="default: beside MODEL.keras"
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        type=Path,
        help="a class name in each line; default: the model's own",
    )
    parser.add_argument(
        "--data_description",
        metavar="TEXT",
        help="what it was trained on, for the card",
    )
    networks.add_build_flags(parser, classes=True)
    group = parser.add_argument_group("litert_int8 and micro")
    group.add_argument(
        "--min_agreement",
        type=float,
        metavar="SHARE",
        help="least share with the same class, default 0.9",
    )
    group.add_argument(
        "--logits",
        action=argparse.BooleanOptionalAction,
        help="micro without the softmax",
    )
    group.add_argument(
        "--float_output",
        action=argparse.BooleanOptionalAction,
        help="classifier in float32, the default",
    )
    group.add_argument(
        "--lanes",
        type=int,
        metavar="COUNT",
        help="channels that the processor computes at once, default 32",
    )


def run(options: argparse.Namespace) -> None:
    """Export, and print what the verification measured."""
    if options.format in _FLAGS and options.images is None:
        raise ValueError(f"--images must be given for --format={options.format}")
    given = {
        name: getattr(options, name)
        for name in sorted({name for names in _FLAGS.values() for name in names})
        if getattr(options, name) is not None
    }
    for name in given:
        if name not in _FLAGS.get(options.format, ()):
            formats = [format for format, names in _FLAGS.items() if name in names]
            raise ValueError(f"--{name} needs --format={' or '.join(formats)}")
    output = _output(options)
    model = networks.from_flags(options)
    info = keras_file.training_info(model)
    labels = list(info.class_names) if info else None
    if options.labels is not None:
        labels = files.read_lines(options.labels)
    description = options.data_description or (info.data if info else None)
    if options.weights == "imagenet" and description is None:
        description = "imagenet-1k"
    images: dict[str, Any] = {}
    sentence = "pass --images to verify on photographs of your own"
    if options.images is not None:
        images, sentence = _images(options, model, labels)
    with processor.without_notes():
        report = FORMATS[options.format](
            model,
            output,
            labels=labels,
            data_description=description,
            input_range=options.input_range,
            **images,
            **given,
        )
    note(f"{report.summary()}\n{sentence}")
    written(output, f"{output}.json", f"{output}.md")


def _images(
    options: argparse.Namespace, model: keras.Model, labels: Sequence[str] | None
) -> tuple[dict[str, Any], str]:
    """The photographs as arguments of an export, and which of them did what."""
    quantized = options.format in _FLAGS
    if keras_file.train_digests(model):
        data = datasets.load(options, model.input_shape[1], model, mode="stream")
        datasets.check_held_out(data, options)
        if data.train.size or not quantized:
            return {"data": data}, "the network was trained on none of these images"
    names = Network.of(model, labels, options.input_range).labels
    images, classes = read_folder(
        options.images, names, skip_unreadable=options.skip_unreadable
    )
    if not quantized:
        arguments = {"images": images, "classes": classes}
        return arguments, f"verified on {len(images)} photographs"
    arguments = {
        "images": images[::2],
        "classes": classes and classes[::2],
        "representative_images": images[1::2],
    }
    return arguments, (
        f"verified on {len(images[::2])} photographs of {options.images} (1st, 3rd, "
        f"... by path), calibrated on {len(images[1::2])} (2nd, 4th, ...)"
    )


def _output(options: argparse.Namespace) -> Path:
    if options.output is not None:
        return options.output
    if not isinstance(options.model, Path):  # none, or a name on the hub
        raise ValueError(f"--output must be given where no {networks.FILE} is")
    return options.model.with_name(options.model.stem + _ENDS[options.format])
