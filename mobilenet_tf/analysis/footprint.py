"""What a small network buys: less traffic, on-chip weights, less energy.

SqueezeNet's section 1 names the three: distributed training sends fewer bytes, an
update over the air is smaller, and weights fit into on-chip memory. The energy per
image is an estimate from published energies per operation; it says which network needs
more, not what a certain chip will draw.
"""

from __future__ import annotations

import math

import keras

from mobilenet_tf import arguments
from mobilenet_tf.analysis import cost

ON_CHIP_BYTES = 10_000_000  # arXiv 1602.07360, section 1: FPGAs have less than 10 MB

# Picojoules in 45 nm. Source: M. Horowitz, "Computing's energy problem", ISSCC 2014;
# for memory as in Han et al., "EIE", arXiv 1602.01528, table 1.
MULT_ADD_PICOJOULES = {32: 3.7 + 0.9, 8: 0.2 + 0.1}  # float32; int8 into int32
SRAM_PICOJOULES = 5.0  # 32 bits from 32 KB
DRAM_PICOJOULES = 640.0  # 32 bits


def all_reduce_bytes(model: keras.Model, workers: int = 8) -> int:
    """Bytes that each worker sends in a step of data-parallel training.

    A ring all-reduce of the float32 gradients sends `2 (workers - 1) / workers` times
    their size.
    """
    arguments.integer("workers", workers, 2)
    gradients = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return round(2 * (workers - 1) / workers * 4 * gradients)


def update_bytes(model: keras.Model, bits: int = 32) -> int:
    """Bytes of an update over the air: every parameter in `bits` bits, 8 or 32."""
    arguments.one_of("bits", bits, MULT_ADD_PICOJOULES)
    return model.count_params() * bits // 8


def fits_on_chip(model: keras.Model, bits: int = 32) -> bool:
    """Whether all parameters fit 10 MB of memory on the chip."""
    return update_bytes(model, bits) <= ON_CHIP_BYTES


def energy_joules(model: keras.Model, bits: int = 32) -> float:
    """Energy of one image: arithmetic, weights and feature maps.

    Every weight is read once, every output of a layer with weights is written once and
    read once. What fits on the chip comes from SRAM, the rest from DRAM: the weights as
    a whole, and each feature map for itself.

    Raises:
        ValueError: `bits` is neither 8 nor 32.
    """
    arguments.one_of("bits", bits, MULT_ADD_PICOJOULES)
    arithmetic = cost.mult_adds(model) * MULT_ADD_PICOJOULES[bits]
    memory = _traffic_picojoules(update_bytes(model, bits))
    for layer in cost.per_layer(model):
        if layer.weights:
            size_bytes = math.prod(layer.output_shape) * bits // 8
            memory += 2 * _traffic_picojoules(size_bytes)
    return 1e-12 * (arithmetic + memory)


def _traffic_picojoules(size_bytes):
    on_chip = size_bytes <= ON_CHIP_BYTES
    return size_bytes / 4 * (SRAM_PICOJOULES if on_chip else DRAM_PICOJOULES)
