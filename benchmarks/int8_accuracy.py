"""Accuracy lost by int8, and the part that each step of our quantisation recovers.

    python -m benchmarks.int8_accuracy --data_dir=DIR \
        --weights=mobilenet_0.25_128_keras_applications.weights.h5 \
        --google_file=mobilenet_v1_0.25_128_quant.tflite

Published weights at alpha 0.25, 128 px, on the photographs of ImageNet's validation set
that a data set holds, over all 1000 classes; calibrated on 200 others of it.
"""

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import app, flags, logging

import mobilenet_tf
from benchmarks.report import publish
from experiments.trials.photographs import real_photographs
from mobilenet_tf.analysis import table
from mobilenet_tf.export import images, verification
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import int8
from mobilenet_tf.export.tflite.converter import converted_to_int8
from mobilenet_tf.export.tflite.interpreter import run

flags.DEFINE_string("weights", None, "Of keras.applications.", required=True)
flags.DEFINE_string("google_file", None, "mobilenet_v1_0.25_128_quant.tflite.")
flags.DEFINE_string("dataset", "imagenette112", "With file names and WordNet ids.")
flags.DEFINE_string("data_dir", None, "Folder of the data set.")

# Each row adds a step to the row before it.
STEPS = (
    ("plain conversion, int8 outputs", False, False, False),
    ("and a float32 classifier output", True, False, False),
    ("and scales by least squares", True, True, False),
    ("and corrected biases", True, True, True),
)


def row(name, scores, expected, classes):
    """Accuracy, agreement with float, and images with two best classes."""
    best = scores.argmax(1)
    agreement = None if expected is None else np.mean(best == expected.argmax(1))
    ties = np.mean((scores == scores.max(1, keepdims=True)).sum(1) > 1)
    top1 = np.mean(best == np.array(classes))
    return (name, *map(table.percent, (top1, agreement, ties)))


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)  # TensorFlow reports every file
    model = mobilenet_tf.build(0.25, base_resolution=128, weights=values.weights)
    network = Network.of(model)
    verified, classes, others = real_photographs(values.dataset, values.data_dir)
    pixels = images.resized(verified, network.side)
    calibration = images.resized(others, network.side)
    expected = verification.model_outputs(model, network.input_range, pixels)
    rows = [row("Keras, float32", expected, expected, classes)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        for name, float_output, fit_scales, correct_biases in STEPS:
            if float_output:
                file = int8.quantize(
                    network,
                    calibration,
                    lanes=32,
                    float_output=True,
                    fit_scales=fit_scales,
                    correct_biases=correct_biases,
                )
                content = file.packed()
            else:
                inputs = images.scaled(calibration, network.core_range)
                content = converted_to_int8(
                    network.on_scaled(), inputs, network.core_range, tf.uint8
                )
            path.write_bytes(content)
            rows.append(row(name, run(path, pixels), expected, classes))
        few = calibration[: len(calibration) // 10]
        file = int8.quantize(network, few, lanes=32, float_output=True)
        path.write_bytes(file.packed())
        name = f"the same, calibrated on {len(few)} images, not {len(calibration)}"
        rows.append(row(name, run(path, pixels), expected, classes))
    if values.google_file:
        scores = run(values.google_file, pixels)[:, 1:]  # the first is the background
        rows.append(row("Google's quantised file", scores, None, classes))
    columns = ("0.25 MobileNet-128", "top-1 %", "same class as float %", "ties %")
    setting = f"{len(classes)} photographs of {values.dataset}, 1000 classes."
    text = f"{table.render(columns, rows)}\n\n{setting}"
    publish("int8_accuracy", text, values.documents)


if __name__ == "__main__":
    app.run(main)
