"""Traffic, memory and energy of a network.

SqueezeNet's section 1 names three advantages of small networks: less communication in
distributed training, smaller over-the-air updates, and weights that fit into on-chip
memory. The energy per image is estimated from published energies per operation: it
ranks networks, but does not predict the consumption of a particular chip.
"""

from __future__ import annotations

import math

import keras

from mobilenet_tf import arguments
from mobilenet_tf.analysis import cost

ON_CHIP_BYTES = 10_000_000  # arXiv 1602.07360, section 1: FPGAs have less than 10 MB

# Picojoules in 45 nm technology. Sources: M. Horowitz, "Computing's energy problem",
# ISSCC 2014; for memory Han et al., "EIE", arXiv 1602.01528, table 1.
# {bits: energy}: float32; int8 with int32 accumulation.
MULT_ADD_PICOJOULES = {32: 3.7 + 0.9, 8: 0.2 + 0.1}
SRAM_PICOJOULES = 5.0  # per 32-bit access, 32 KB memory
DRAM_PICOJOULES = 640.0  # per 32-bit access


def all_reduce_bytes(model: keras.Model, workers: int = 8) -> int:
    """Bytes that each worker sends per step of data-parallel training.

    A ring all-reduce sends `2 (workers - 1) / workers` times the size of the float32
    gradients.

    Args:
        model: Any built model.
        workers: Number of workers, at least 2.

    Raises:
        ValueError: `workers` is below 2.
    """
    arguments.integer("workers", workers, 2)
    gradients = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return round(2 * (workers - 1) / workers * 4 * gradients)


def update_bytes(model: keras.Model, bits: int = 32) -> int:
    """Bytes of an over-the-air update: all parameters in `bits` bits each, 8 or 32.

    Raises:
        ValueError: `bits` is neither 8 nor 32.
    """
    arguments.one_of("bits", bits, MULT_ADD_PICOJOULES)
    return model.count_params() * bits // 8


def fits_on_chip(model: keras.Model, bits: int = 32) -> bool:
    """Whether all parameters, `bits` bits each, fit into 10 MB of on-chip memory."""
    return update_bytes(model, bits) <= ON_CHIP_BYTES


def energy_joules(model: keras.Model, bits: int = 32) -> float:
    """Energy in joules per image, of arithmetic and memory accesses.

    Every weight is read once, every output of a layer with weights is written once and
    read once. The weights together, and each feature map, are in SRAM if they fit into
    10 MB, else in DRAM.

    Args:
        model: A functional or sequential model with a fixed input size.
        bits: Bits per weight and activation: 32 (float32) or 8 (int8).

    Raises:
        ValueError: `bits` is neither 8 nor 32, or as for `cost.per_layer`.
    """
    arguments.one_of("bits", bits, MULT_ADD_PICOJOULES)
    arithmetic = cost.mult_adds(model) * MULT_ADD_PICOJOULES[bits]
    memory = _access_picojoules(update_bytes(model, bits))
    for layer in cost.per_layer(model):
        if layer.weights:
            size_bytes = math.prod(layer.output_shape) * bits // 8
            memory += 2 * _access_picojoules(size_bytes)
    return 1e-12 * (arithmetic + memory)


def _access_picojoules(size_bytes: int) -> float:
    on_chip = size_bytes <= ON_CHIP_BYTES
    return size_bytes / 4 * (SRAM_PICOJOULES if on_chip else DRAM_PICOJOULES)
