"""TensorFlow Lite Micro: a file, a C++ array and an example for microcontrollers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.export import c_source, tflm
from mobilenet_tf.export.images import resized
from mobilenet_tf.export.litert_file import calibration_pixels
from mobilenet_tf.export.options import Options, prepare
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.verification import Memory, Verification
from mobilenet_tf.packages import require


def micro(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    representative_images: Sequence[np.ndarray] | None = None,
    min_agreement: float = 0.9,
    logits: bool = False,
    **options: Unpack[Options],
) -> Verification:
    """Write a network for microcontrollers, and verify it in their interpreter.

    For `path` "person.tflite" there are also "person.h" and "person.cc" with the file
    as an array, its scales, its labels and the arena that it needs, "person_main.cc",
    an example that registers the operators of the file, and report and model card.

    The file is int8 throughout, with int8 images `(1, side, side, 3)`: RGB from 0 to
    255, minus 128. It computes wide layers in parts and brings a plan of the memory;
    both make the arena smaller and change no output. The interpreter, with its
    reference kernels, runs in a process of its own on this machine; the arena is what
    it allocates, confirmed by a run in exactly that much memory. On a 32-bit chip its
    tables of pointers are smaller. Optimized kernels, such as CMSIS-NN's, may allocate
    some memory more.

    Args:
        model: A functional or sequential Keras model from square RGB images to classes
            or features; other models inside it are flattened.
        path: The file to write, ending in `.tflite`; none of the files may exist.
        representative_images: Real images that int8 is calibrated on, some hundred and
            others than `images`; needed without `data`, of whose training split 200
            images are taken otherwise.
        min_agreement: The least share of `images` with the same best class, or the
            least mean cosine of features.
        logits: Whether the file leaves out the softmax of the classifier: the best
            class is the same, with one operator less.
        **options: See `mobilenet_tf.export.options.Options`: `data` or `images` to
            verify the file on, `classes`, `labels`, `input_range`, `data_description`.

    Returns:
        What the verification measured, with the arena in its `memory`.

    Raises:
        ImportError: ai-edge-litert or tflite-micro is not installed.
        TypeError: There is no such further argument.
        ValueError: An argument does not fit, the interpreter cannot run a layer, or
            the file differs from the model; no file is left.
    """
    arguments.number("min_agreement", min_agreement, lambda x: 0 <= x <= 1, "in [0, 1]")
    arguments.one_of("logits", logits, (True, False))
    path = Path(path)
    name = c_source.identifier(path)
    check_path(path, ".tflite", (f"{name}.h", f"{name}.cc", f"{name}_main.cc"))
    prepared = prepare("micro", model, options)
    network = prepared.network
    calibration = calibration_pixels(prepared, representative_images)
    require("ai_edge_litert", "tflite_micro", "bitarray", extra="micro")
    pixels = resized(prepared.examples.images, network.side)
    deployed, run = _deployed(network, name, calibration, pixels, logits)
    outputs = (run.outputs.astype("float32") - deployed.output_zero_point) * np.float32(
        deployed.output_scale
    )
    if logits and network.head is not None and not network.gives_logits:
        # As the model's outputs are.
        outputs = keras.ops.convert_to_numpy(keras.ops.softmax(outputs))
    return publish(
        path,
        prepared,
        format_name="micro",
        pixels=pixels,
        write=lambda partial: partial.write_bytes(deployed.content),
        run=lambda partial: outputs,
        tolerance=None,
        min_agreement=min_agreement,
        files=deployed.files(),
        memory=Memory(
            arena_bytes=run.arena_bytes,
            persistent_bytes=run.persistent_bytes,
            non_persistent_bytes=run.non_persistent_bytes,
            flash_bytes=len(deployed.content),
            operators=deployed.operators,
            interpreter=tflm.version(),
        ),
    )


def _deployed(network, name, calibration, pixels, logits):
    """The network as a program sees it, and its run on the images."""
    from mobilenet_tf.export.tflite import micro as conversion

    file = conversion.micro_file(network, calibration, logits=logits)
    named = file.content()  # with the names of layers, for messages
    content = conversion.use_less_memory(file)
    inputs = (np.clip(np.round(pixels), 0, 255) - 128).astype("int8")
    try:
        run = tflm.measure(content, inputs)
    except tflm.TFLMError as error:
        layer = conversion.first_failure(conversion.File(named), network)
        raise ValueError(
            f"TensorFlow Lite Micro cannot run {layer}: {error}"
        ) from error
    image, result = (
        file.graph.tensors[int(index)]
        for index in (*file.graph.inputs, *file.graph.outputs)
    )
    deployed = c_source.Deployed(
        name=name,
        content=content,
        arena_bytes=run.arena_bytes,
        side=network.side,
        input_scale=float(image.quantization.scale[0]),
        input_zero_point=int(image.quantization.zeroPoint[0]),
        output_shape=tuple(map(int, result.shape[1:])),
        output_scale=float(result.quantization.scale[0]),
        output_zero_point=int(result.quantization.zeroPoint[0]),
        operators=conversion.operators(file),
        labels=tuple(network.labels or ()),
    )
    return deployed, run
