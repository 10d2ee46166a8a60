"""Provenance of a result: commit, package versions, back end and device."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from mobilenet_tf import processor

PACKAGES = ("keras", "tensorflow", "jax", "torch", "tensorflow-datasets", "numpy")


def provenance(source: dict | None = None) -> dict:
    """Commit, dirty flag, package versions, device and kernels of this process.

    Args:
        source: What `commit` gave on the machine that the code is from; None means
            this one.
    """
    import keras

    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        **(commit() if source is None else source),
        "backend": keras.backend.backend(),
        "versions": versions,
        "device": device_name(),
        "kernels": processor.kernels(),
    }


def device_name() -> str:
    """The processor or accelerator that trains, in words."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() != "cpu":
            return f"{jax.device_count()} x {jax.devices()[0].device_kind}"
    if keras.backend.backend() == "torch":
        import torch

        if torch.cuda.is_available():
            return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if gpus := tf.config.list_physical_devices("GPU"):
            details = tf.config.experimental.get_device_details(gpus[0])
            return f"{len(gpus)} x {details.get('device_name', 'GPU')}"
    return f"{processor.usable_cores()} cores of {processor.describe().name}"


def commit() -> dict:
    """Commit of the checkout and whether it has changes; None where there is no git."""
    root = Path(__file__).resolve().parents[2]

    def git(*arguments):
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        # Files that git does not track may have taken part as well.
        return {"commit": git("rev-parse", "HEAD"), "dirty": git("status", "-s") != ""}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
