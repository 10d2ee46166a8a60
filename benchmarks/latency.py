"""Time per image of exported files, one image at a time on one thread.

    python -m benchmarks.latency --google_file=mobilenet_v1_0.25_128_quant.tflite

All files at alpha 0.25, 128 px: ours, `keras.applications.MobileNet` converted by the
same converter, Google's own quantised file where it is given. Then ours at the 16
published points. Weights are random, which changes no time. Rounds are interleaved, so
that other load on the machine affects all files alike.
"""

import functools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
from absl import app, flags, logging
from ai_edge_litert.interpreter import Interpreter

import mobilenet_tf
from benchmarks.report import publish
from mobilenet_tf import export
from mobilenet_tf.analysis import table
from mobilenet_tf.export import images
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import conversion, int8
from mobilenet_tf.export.tflite.converter import converted, converted_to_int8
from mobilenet_tf.models.imagenet import PAIRS

flags.DEFINE_string("google_file", None, "mobilenet_v1_0.25_128_quant.tflite.")
flags.DEFINE_integer("rounds", 60, "Rounds that count.", 1)
flags.DEFINE_integer("runs", 5, "Runs of each file in a round.", 1)
flags.DEFINE_integer("lanes", 64, "Of the tuned int8 file; see export.litert.", 1)
flags.DEFINE_list("points", [f"{a:g}_{s}" for a, s in PAIRS], "Points, ALPHA_SIDE.")

WARM_UPS = 30


def litert(content: bytes):
    """A run of a LiteRT file."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (inputs,) = interpreter.get_input_details()
    image = np.random.default_rng(0).integers(0, 256, inputs["shape"])
    interpreter.set_tensor(inputs["index"], image.astype(inputs["dtype"]))
    return interpreter.invoke


def onnx(path: Path, side: int):
    """A run of an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    image = np.zeros((1, side, side, 3), "float32")
    return lambda: session.run(None, {"image": image})


def saved_model(path: Path, side: int):
    """A run of a SavedModel, its preprocessing included."""
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    image = tf.zeros((1, side, side, 3))
    return lambda: serve(image)["probabilities"].numpy()


def our_int8(model: keras.Model, lanes: int, float_output: bool = True) -> bytes:
    """Our int8 file; scales and biases of random weights need no fitting."""
    network = Network.of(model)
    calibration = images.resized(images.default_images(4), network.side)
    options = {"fit_scales": False, "correct_biases": False}
    file = int8.quantize(
        network, calibration, lanes=lanes, float_output=float_output, **options
    )
    return file.packed()


def plain_int8(model: keras.Model) -> bytes:
    """The converter's own int8 file of a network, from uint8 to uint8."""
    network = Network.of(model)
    pixels = images.resized(images.default_images(4), network.side)
    inputs = images.scaled(pixels, network.core_range)
    return converted_to_int8(network.on_scaled(), inputs, network.core_range, tf.uint8)


def one_point(folder: Path, lanes: int, google_file: str | None) -> dict[str, tuple]:
    """Name, run and bytes of every file at alpha 0.25, 128 px; arguments as flags."""
    build = functools.partial(mobilenet_tf.build, 0.25, base_resolution=128)
    peer = keras.applications.MobileNet((128, 128, 3), 0.25, weights=None)
    export.onnx(build(), folder / "model.onnx")
    export.saved_model(build(), folder / "model")
    files = {}
    if google_file:
        files["Google's quantised file, uint8"] = Path(google_file).read_bytes()
    files |= {
        f"ours, int8, {lanes} lanes": our_int8(build(), lanes),
        "ours, int8, 32 lanes (default)": our_int8(build(), 32),
        "ours, int8, 16 lanes": our_int8(build(), 16),
        "ours, int8, 1 lane": our_int8(build(), 1),
        "ours, int8 throughout, 1 lane": our_int8(build(), 1, float_output=False),
        "keras.applications, int8": plain_int8(peer),
        "ours, float32": float_file(build()),
        "keras.applications, float32": converted(Network.of(peer).on_scaled()),
    }
    runs = {name: (litert(content), len(content)) for name, content in files.items()}
    size = (folder / "model.onnx").stat().st_size
    runs["ours, ONNX, onnxruntime"] = onnx(folder / "model.onnx", 128), size
    size = sum(file.stat().st_size for file in (folder / "model").rglob("*.*"))
    runs["ours, SavedModel, TensorFlow"] = saved_model(folder / "model", 128), size
    return runs


def float_file(model: keras.Model) -> bytes:
    """Our float32 file, pixels in."""
    return conversion.float_file(Network.of(model)).packed()


def measure(files: dict, rounds: int, runs: int) -> dict[str, np.ndarray]:
    """Milliseconds of every run of every file, rounds interleaved."""
    for run in files.values():
        for _ in range(WARM_UPS):
            run()
    milliseconds = {name: [] for name in files}
    for _ in range(rounds):
        for name, run in files.items():
            run()  # the files before it have emptied the caches
            for _ in range(runs):
                start = time.perf_counter()
                run()
                milliseconds[name].append(1e3 * (time.perf_counter() - start))
    return {name: np.array(times) for name, times in milliseconds.items()}


def all_points(points: Sequence[str], lanes: int, rounds: int, runs: int) -> str:
    """Our int8 and float files at the points, as a table; arguments as flags."""
    files, sizes = {}, {}
    for point in points:
        alpha, side = point.split("_")
        model = mobilenet_tf.build(float(alpha), base_resolution=int(side))
        for kind, content in (
            ("int8", our_int8(model, lanes)),
            ("float", float_file(model)),
        ):
            files[point, kind], sizes[point, kind] = litert(content), len(content)
    times = measure(files, rounds, runs)
    rows = []
    for point in points:
        row = [point.replace("_", " MobileNet-")]
        for kind in ("int8", "float"):
            ms = times[point, kind]
            row += [f"{sizes[point, kind] / 1e3:,.0f}", f"{np.median(ms):.2f}"]
            row.append(f"{np.percentile(ms, 90):.2f}")
        rows.append(row)
    columns = [f"{kind} {what}" for kind in ("int8", "float32") for what in _WHAT]
    return table.render(("Ours", *columns), rows)


_WHAT = ("kB", "ms", "p90")


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)  # TensorFlow reports every file
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = one_point(Path(folder), values.lanes, values.google_file)
        contenders = {name: run for name, (run, _) in files.items()}
        times = measure(contenders, values.rounds, values.runs)
    first = np.median(next(iter(times.values())))
    rows = [
        (
            name,
            f"{files[name][1] / 1e3:,.0f}",
            f"{np.median(ms):.3f}",
            f"{np.percentile(ms, 90):.3f}",
            f"{np.median(ms) / first:.2f}",
        )
        for name, ms in times.items()
    ]
    columns = ("0.25 MobileNet-128", "kB", "ms", "p90", "of the first")
    setting = "One image on one thread; medians and 90th percentiles."
    points = all_points(values.points, values.lanes, values.rounds, values.runs)
    text = "\n\n".join([table.render(columns, rows), points, setting])
    publish("latency", text, values.documents)


if __name__ == "__main__":
    app.run(main)
