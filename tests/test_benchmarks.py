"""The benchmarks run on small settings and print complete tables."""

import functools
import importlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT

import mobilenet_tf
from mobilenet_tf.models.mobilenet import BLOCKS


def run_process(module, *arguments):
    """Runs a benchmark that configures TensorFlow's threads before it starts."""
    result = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_job_of_a_fault_drill():
    """Without Ray: the drill itself is thorough (test_sweep_drills.py)."""
    faults = importlib.import_module("benchmarks.faults")
    (trial,) = faults.grid(faults.photographs(), 1, 1)
    job = faults.job(trial)
    assert job.trial is trial and job.versions["keras"] == keras.__version__


def test_training_throughput(run_program, monkeypatch, eagerly):
    """Of two blocks; with two precisions, as many as the table compares with others."""
    small = functools.partial(mobilenet_tf.build, blocks=BLOCKS[:2])
    monkeypatch.setattr(mobilenet_tf, "build", small)
    module = importlib.import_module("benchmarks.training_throughput")
    monkeypatch.setattr(module, "PRECISIONS", module.PRECISIONS[:2])
    flags = ("--alphas=0.25", "--side=32", "--batch_size=2", "--rounds=1", "--steps=1")
    output = run_program("benchmarks.training_throughput", *flags)
    for name in ("ours, float32", "keras.applications"):
        assert re.search(rf"\| {name} +\| +\d+ \| +\d+\.\d\d \|", output)


@pytest.mark.thorough
def test_short_recipe(tmp_path):
    flags = ("--limit=64", "--epochs=1", "--seeds=2")
    output = run_process("short_recipe", f"--data_dir={tmp_path}", *flags)
    for name in ("as it is", "no warm-up", "averaged weights"):
        assert re.search(rf"\| {name} +\|( +\d+\.\d \|){{4}}", output)


@pytest.mark.thorough
def test_import_time(run_program):
    assert re.search(
        r"ratio \d\.\d{3}", run_program("benchmarks.import_time", "--rounds=1")
    )


@pytest.mark.thorough
def test_difference_seconds():
    for package in ("constriction", "bsdiff4", "hdiffpatch", "zstandard"):
        pytest.importorskip(package)
    output = run_process("difference_seconds", "--rounds=1", "--side=32")
    for way in ("bsdiff4", "HDiffPatch", "zstandard", r"codec\.delta"):
        assert re.search(rf"\| {way} +\| +[\d,]+ \| +\d+\.\d{{3}} \|", output)


@pytest.mark.thorough
def test_latency():
    for package in ("ai_edge_litert", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    output = run_process("latency", "--rounds=1", "--runs=1", "--points=0.25_128")
    for name in ("ours, int8, 64 lanes", "keras.applications, int8", "ours, float32"):
        assert re.search(rf"\| {name} +\| +[\d,]+ \| +\d+\.\d{{3}} \|", output)
    assert "| 0.25 MobileNet-128 |" in output


@pytest.mark.thorough
def test_fewer_channels():
    for package in ("ai_edge_litert", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    flags = ("--alpha=0.25", "--side=64", "--rounds=1", "--runs=1")
    output = run_process("fewer_channels", *flags)
    mult_adds = {
        name: float(found)
        for name, found in re.findall(r"\| (\w.*?) +\| +([\d.]+) \|", output)
    }
    assert mult_adds["75 % zeros"] == mult_adds["all channels"]
    assert mult_adds["75 % fewer channels"] < mult_adds["all channels"] / 8


def test_codec(run_program, tmp_path):
    for package in ("brotli", "constriction", "zstandard"):
        pytest.importorskip(package)
    images = keras.Input((60,))
    model = keras.Model(images, keras.layers.Dense(40)(images))
    kernel = np.random.default_rng(0).integers(-3, 4, (60, 40)).astype("float32")
    model.set_weights([kernel, np.zeros(40)])
    model.save(tmp_path / "model.keras")
    output = run_program(
        "benchmarks.codec", f"--models={tmp_path / 'model.keras'}", "--rounds=1"
    )
    sizes = dict(re.findall(r"\| ([\w-]+(?: bound)?) +\| +([\d,]+) \|", output))
    assert set(sizes) >= {"codec", "zlib", "xz", "brotli", "zstd", "Huffman"}
    # 2,400 weights of log2(7) bits are 842 bytes.
    assert 842 < int(sizes["order-0 bound"].replace(",", "")) < 1060
    assert 842 < int(sizes["codec"].replace(",", "")) < 1200
