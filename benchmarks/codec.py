"""Bytes and speed of the codec against general compressors and Huffman coding.

    python -m benchmarks.codec \
        --squeezenet_weights=squeezenet_v1.0_deep_compression.net \
        --int8_weights=mobilenet_0.25_128_keras_applications.weights.h5

General compressors get the authors' file unchanged, and other weights in the form that
suits them: codebooks and biases as float32, each weight as its index in the codebook of
its tensor, or of its channel if it is int8. Huffman coding, the paper's choice, has one
table per layer for the indices and one for the gaps between weights, four bits each, as
in the authors' file. The bound is the entropy of indices and zeros, layer by layer, as
if their histograms were known.
"""

import heapq
import lzma
import statistics
import time
import zlib
from pathlib import Path

import brotli
import keras
import numpy as np
import zstandard
from absl import app, flags

import mobilenet_tf
from benchmarks.report import publish
from mobilenet_tf import codec, compression
from mobilenet_tf.analysis import table
from mobilenet_tf.export.tflite import int8

flags.DEFINE_string("squeezenet_weights", None, "The SqueezeNet authors' file.")
flags.DEFINE_string("int8_weights", None, "MobileNet 0.25 128, rounded to int8.")
flags.DEFINE_list("models", [], "Whole .keras models, as FILE or NAME=FILE.")
flags.DEFINE_integer("rounds", 3, "Measurements of each time; medians are printed.", 1)

PEERS = {
    "zlib": (lambda data: zlib.compress(data, 9), zlib.decompress),
    "xz": (
        lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
        lzma.decompress,
    ),
    "brotli": (brotli.compress, brotli.decompress),
    "zstd": (
        lambda data: zstandard.ZstdCompressor(level=22).compress(data),
        lambda data: zstandard.ZstdDecompressor().decompress(data),
    ),
}
MOST_VALUES = 256  # of a codebook
GAP = 16  # zeros before a weight take four bits


def indexed(array: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """A tensor's codebook, and the index of each weight, filter by filter.

    Index 0 means zero. The result is None if the tensor has too many distinct values.
    """
    filters = np.moveaxis(array, -1 if array.shape[-1] > 1 else -2, 0)
    flat = filters.ravel()
    values = np.unique(flat[flat != 0])
    if 0 < len(values) <= min(MOST_VALUES, flat.size // 2):
        return values, np.where(flat == 0, 0, 1 + np.searchsorted(values, flat))
    if array.ndim < 2 or not is_int8(filters):
        return None
    scales = int8.best_scales(filters)
    numbers = int8.rounded(filters, scales).astype("int64").ravel()
    return scales, np.where(numbers == 0, 0, numbers + int8.MAXIMUM + 1)


def is_int8(filters: np.ndarray) -> bool:
    """Whether no filter has more magnitudes than int8 has, or as many as weights."""
    rows = filters.reshape(len(filters), -1)
    magnitudes = max(len(np.unique(np.abs(row))) for row in rows)
    return rows.shape[1] > 1 and magnitudes < min(rows.shape[1], 129)


def entropy(symbols: np.ndarray) -> float:
    """Bits that a sequence takes at the entropy of its own histogram."""
    counts = np.bincount(symbols)
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


def huffman(symbols: np.ndarray) -> float:
    """Bits that a sequence takes in Huffman coding, plus a byte per symbol's length."""
    counts = np.bincount(symbols)
    counts = [int(count) for count in counts if count]
    heap, total = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return (total or len(symbols)) + 8 * len(counts)


def gaps(indices: np.ndarray) -> np.ndarray:
    """Zeros before each stored weight, at most 15; longer gaps store a zero between."""
    positions = np.flatnonzero(indices)
    distances = np.diff(positions, prepend=-1) - 1
    fillers = np.full(int((distances // GAP).sum()), GAP - 1)
    return np.concatenate([distances % GAP, fillers])


def arrays(model: keras.Model) -> tuple[bytes, float, float]:
    """The bytes for general compressors; sizes of Huffman coding and of the bound."""
    parts, by_huffman, bound = [], 0.0, 0.0
    for array in model.get_weights():
        codebook = indexed(array)
        if codebook is None:
            parts.append(array.tobytes())
            by_huffman += array.nbytes
            bound += array.nbytes
            continue
        values, symbols = codebook
        small = symbols.max() < 256
        parts += [values.tobytes(), symbols.astype("u1" if small else "<u2").tobytes()]
        stored = symbols[symbols > 0] - 1
        steps = gaps(symbols)
        fillers = np.zeros(len(steps) - len(stored), "int64")
        coded = huffman(np.concatenate([stored + 1, fillers])) + huffman(steps)
        by_huffman += values.nbytes + coded / 8
        zeros = entropy((symbols == 0).astype("int64"))
        bound += values.nbytes + (entropy(stored) + zeros) / 8
    return b"".join(parts), by_huffman, bound


def timed(function, argument, rounds):
    """A function's result, and the median of the seconds that it takes."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = function(argument)
        seconds.append(time.perf_counter() - start)
    return result, statistics.median(seconds)


def rows(
    model: keras.Model, rounds: int, other: bytes | None = None
) -> list[tuple[str, ...]]:
    """One row per compressor.

    Args:
        model: What is compressed.
        rounds: Measurements of each time.
        other: The bytes that general compressors get; None means those of `arrays`.
    """
    megabytes = 4e-6 * model.count_params()
    plain, by_huffman, bound = arrays(model)
    content, seconds = timed(codec.encode, model, rounds)
    loaded, back = timed(codec.decode, content, rounds)
    for old, new in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(old.view("uint32"), new.view("uint32"))
    result = [_row("codec", len(content), megabytes, seconds, back)]
    plain = other or plain
    for name, (compress, decompress) in PEERS.items():
        packed, seconds = timed(compress, plain, rounds)
        again, back = timed(decompress, packed, rounds)
        assert again == plain
        result.append(_row(name, len(packed), megabytes, seconds, back))
    result.append(("Huffman", f"{by_huffman:,.0f}", "–", "–"))
    result.append(("order-0 bound", f"{bound:,.0f}", "–", "–"))
    return result


def _row(name, size, megabytes, encoding, decoding):
    speeds = (f"{megabytes / seconds:,.1f}" for seconds in (encoding, decoding))
    return (name, f"{size:,}", *speeds)


def networks(squeezenet_weights, int8_weights, models):
    """For each file: a name, the network, and bytes for general compressors."""
    if squeezenet_weights:
        path = Path(squeezenet_weights)
        model = mobilenet_tf.build_squeezenet(weights=path)
        yield "the SqueezeNet authors' file", model, path.read_bytes()
        shared = compression.cluster(model, clusters=64, report=lambda report: None)
        yield "the same with 64 values per layer", shared, None
    if int8_weights:
        model = mobilenet_tf.build(0.25, base_resolution=128, weights=int8_weights)
        yield "0.25 MobileNet-128 in int8", rounded(model), None
    for entry in models:
        name, _, path = entry.rpartition("=")
        model = keras.models.load_model(path, compile=False)
        yield name or Path(path).name, model, None


def rounded(model: keras.Model) -> keras.Model:
    """The network with its kernels rounded to int8, one scale for each channel."""
    arrays = []
    for weights in model.get_weights():
        if weights.ndim > 1:
            axis = -1 if weights.shape[-1] > 1 else -2
            channels = np.moveaxis(weights, axis, 0)
            scales = int8.best_scales(channels)
            steps = int8.rounded(channels, scales).astype("float32")
            steps *= scales.reshape(-1, *[1] * (steps.ndim - 1))
            weights = np.moveaxis(steps, 0, axis)
        arrays.append(weights)
    model.set_weights(arrays)
    return model


def main(_):
    values = flags.FLAGS
    tables = []
    for name, model, other in networks(
        values.squeezenet_weights, values.int8_weights, values.models
    ):
        columns = (name, "bytes", "MB/s in", "MB/s out")
        tables.append(table.render(columns, rows(model, values.rounds, other)))
    setting = "MB of float32 weights; medians; our times include building the network."
    publish("codec", "\n\n".join([*tables, setting]), values.documents)


if __name__ == "__main__":
    app.run(main)
