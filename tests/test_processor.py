"""What the processor can do, and the kernels and precision that are chosen for it."""

import os
import subprocess
import sys
import warnings

import pytest
import tensorflow as tf

from mobilenet_tf import processor
from mobilenet_tf.processor import Processor
from mobilenet_tf.training import accelerated, precision

ZEN3 = Processor("AMD EPYC", frozenset({"avx2"}))
ZEN4 = Processor("AMD EPYC", frozenset({"avx2", "avx512", "avx512_bf16"}))
SKYLAKE = Processor("Intel Xeon", frozenset({"avx2", "avx512"}))
SAPPHIRE_RAPIDS = Processor("Intel Xeon", ZEN4.features | {"amx"})
UNKNOWN = Processor("arm64")


def test_a_slow_training_is_told_once(monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setattr(processor, "kernels", lambda: "eigen")
    monkeypatch.setattr(processor, "describe", lambda: ZEN3)
    processor.warn_of_slow_kernels.cache_clear()
    with pytest.warns(UserWarning, match="TF_ENABLE_ONEDNN_OPTS=1"):
        processor.warn_of_slow_kernels()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        processor.warn_of_slow_kernels()  # told already
        processor.warn_of_slow_kernels.cache_clear()
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        processor.warn_of_slow_kernels()  # the user's choice
    processor.warn_of_slow_kernels.cache_clear()


def test_cpuinfo_of_linux():
    text = (
        "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Processor\n"
        "flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile\n\n"
    )
    described = processor._from_cpuinfo(text, "x86_64")
    assert described == Processor("Intel(R) Xeon(R) Processor", described.features)
    assert described.features == SAPPHIRE_RAPIDS.features
    assert processor._from_cpuinfo("Features : fp asimd\n", "aarch64") == Processor(
        "aarch64"
    )


def test_sysctl_of_macos(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    output = "machdep.cpu.brand_string: Intel Core i9\nhw.optional.avx2_0: 1\n"
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, output)
    )
    described = processor.describe.__wrapped__()
    assert described == Processor("Intel Core i9", frozenset({"avx2"}))


def test_kinds():
    described = (ZEN3, ZEN4, SKYLAKE, SAPPHIRE_RAPIDS, UNKNOWN)
    kinds = ["AVX2", "AVX-512", "AVX-512", "AMX", "other"]
    assert [one.kind for one in described] == kinds


def test_usable_cores_without_an_affinity(monkeypatch):
    assert processor.usable_cores() >= 1
    for name in ("process_cpu_count", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert processor.usable_cores() == 6


@pytest.mark.parametrize(
    ("described", "speedup", "expected"),
    [
        (ZEN3, None, "float32"),
        (SKYLAKE, None, "float32"),
        (ZEN4, 1.6, "pointwise_bfloat16"),
        (ZEN4, 1.05, "float32"),
        (SAPPHIRE_RAPIDS, None, "pointwise_bfloat16"),
        (UNKNOWN, None, "float32"),
    ],
)
def test_precision_of_a_processor(described, speedup, expected, monkeypatch):
    def measured():
        assert speedup is not None, "measured where the processor decides"
        return speedup

    monkeypatch.setattr(processor, "kernels", lambda: "onednn")
    monkeypatch.setattr(precision, "bfloat16_speedup", measured)
    assert precision.choose("auto", described) == expected
    assert precision.choose("mixed_bfloat16", described) == "mixed_bfloat16"
    monkeypatch.setattr(processor, "kernels", lambda: "eigen")
    assert precision.choose("auto", described) == "float32"


def test_bfloat16_is_measured(monkeypatch):
    """By medians, without the first rounds, on a clock that the steps move."""
    clock = 0.0
    seconds = {
        "float32": [90, 90, *[6.0] * 8, 80, 80],
        "bfloat16": [1, 1, *[4.0] * 8, 0.1, 0.1],
    }

    def step_of(dtype):
        left = iter(seconds[dtype])

        def step():
            nonlocal clock
            clock += next(left)

        return step

    monkeypatch.setattr(precision, "_pointwise_step", step_of)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock)
    assert precision.bfloat16_speedup.__wrapped__() == pytest.approx(1.5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_measured_step_is_a_convolution_and_its_gradients(dtype):
    images, kernel = precision._pointwise_step(dtype)()
    # The gradients of a sum of products: sums of the other factor.
    rows, channels = 32 * 14 * 14, 256
    first = tf.random.stateless_normal((rows, channels), (0, 1))
    second = tf.random.stateless_normal((channels, channels), (0, 2))
    for found, factor, times in ((images, second, rows), (kernel, first, channels)):
        expected = float(tf.reduce_sum(factor)) * times
        assert float(found) == pytest.approx(expected, rel=0.02)


def test_unknown_precision():
    with pytest.raises(ValueError, match="precision must be one of 'auto', 'float32'"):
        precision.choose("float16")


@pytest.mark.parametrize(
    ("kernels", "described", "expected"),
    [
        ("onednn", ZEN3, True),
        ("onednn", SAPPHIRE_RAPIDS, False),
        ("eigen", SAPPHIRE_RAPIDS, True),
    ],
)
def test_form_of_pointwise_convolutions(
    kernels, described, expected, monkeypatch, small
):
    monkeypatch.setattr(processor, "kernels", lambda: kernels)
    monkeypatch.setattr(processor, "describe", lambda: described)
    kind = accelerated.class_for(small.get_layer("block2_pointwise"))
    assert (kind is accelerated.MatrixProductConv2D) == expected
