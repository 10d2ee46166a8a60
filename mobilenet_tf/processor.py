"""The processor: its instruction sets, and TensorFlow's kernels for it.

TensorFlow reads its environment once, when it is imported. So this module imports
nothing heavy, and the package calls `prepare` before anything that imports Keras.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

KERNELS_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

# Features that decide about speed here, and their names in /proc/cpuinfo and sysctl.
_LINUX_FLAGS = {
    "avx2": "avx2",
    "avx512f": "avx512",
    "avx512_bf16": "avx512_bf16",
    "amx_bf16": "amx",
}
_MACOS_KEYS = {"hw.optional.avx2_0": "avx2", "hw.optional.avx512f": "avx512"}
# What TensorFlow's libraries log on import and in conversions, whatever
# TF_CPP_MIN_LOG_LEVEL says.
_NOTE = re.compile(
    rb"I\d{4} |WARNING: All log messages before absl::Init|"
    rb"fully_quantize: |INFO: Created TensorFlow Lite |"
    rb"\[Gloo\] Rank |W\d{4} .*coordination_service"
)


@dataclasses.dataclass(frozen=True)
class Processor:
    """The instruction sets of a processor.

    Attributes:
        name: As the operating system gives it.
        features: Of "avx2", "avx512", "avx512_bf16" and "amx" those that it has.
    """

    name: str
    features: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """The widest of its vector units: "AMX", "AVX-512", "AVX2" or "other"."""
        names = {"amx": "AMX", "avx512": "AVX-512", "avx2": "AVX2"}
        return next((names[key] for key in names if key in self.features), "other")


def prepare() -> None:
    """Choose TensorFlow's kernels.

    oneDNN's kernels train these networks two to four times as fast as TensorFlow's
    own, which it takes by default on processors without AVX512-VNNI. What the user has
    put into the environment stays, and so does all where TensorFlow is imported
    already.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault(KERNELS_VARIABLE, "1")


def import_quietly(module: str) -> ModuleType:
    """Import a module for a command line, without TensorFlow's start-up notes.

    Args:
        module: Its full name; it may import TensorFlow.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_notes():
        return importlib.import_module(module)


@contextlib.contextmanager
def without_notes(descriptor: int = 2) -> Iterator[None]:
    """Hold back what C++ code writes to standard error, and drop TensorFlow's notes.

    Args:
        descriptor: 2 for standard error, 1 for standard output.
    """
    stream = sys.stderr if descriptor == 2 else sys.stdout
    stream.flush()
    try:
        original = os.dup(descriptor)
        temporary = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # the process has no standard error, or the disk is full
        yield
        return
    with temporary as held:
        os.dup2(held.fileno(), descriptor)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(original, descriptor)
            os.close(original)
            held.seek(0)
            for line in held:
                if not _NOTE.match(line):
                    os.write(descriptor, line)


@functools.cache
def describe() -> Processor:
    """The processor of this machine; without features where they are not known."""
    fallback = platform.processor() or platform.machine()
    if sys.platform == "darwin":
        return _from_sysctl(fallback)
    try:
        return _from_cpuinfo(Path("/proc/cpuinfo").read_text(), fallback)
    except OSError:
        return Processor(fallback)


def usable_cores() -> int:
    """Cores that this process may run on, at least 1."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernels() -> str | None:
    """Which kernels TensorFlow runs on this processor: "onednn" or "eigen".

    None where TensorFlow is not imported.
    """
    if "tensorflow" not in sys.modules:
        return None
    try:  # TensorFlow has no public name for this
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return "onednn" if _pywrap_util_port.IsMklEnabled() else "eigen"


@functools.cache
def warn_of_slow_kernels() -> None:
    """Warn once where training is slow because TensorFlow was imported too early."""
    left_open = KERNELS_VARIABLE not in os.environ
    if left_open and kernels() == "eigen" and "avx2" in describe().features:
        warnings.warn(
            f"training is two to four times faster with {KERNELS_VARIABLE}=1 in the "
            "environment before TensorFlow is imported; importing mobilenet_tf first "
            "sets it",
            stacklevel=2,
        )


def _from_cpuinfo(text: str, fallback: str) -> Processor:
    """A processor from the text of /proc/cpuinfo on x86; elsewhere it has no flags."""
    fields = dict(re.findall(r"^([^:\n]*?)\s*: (.*)$", text, re.MULTILINE))
    flags = fields.get("flags", "").split()
    features = frozenset(ours for flag, ours in _LINUX_FLAGS.items() if flag in flags)
    return Processor(fields.get("model name", fallback).strip(), features)


def _from_sysctl(fallback: str) -> Processor:
    keys = ["machdep.cpu.brand_string", *_MACOS_KEYS]
    try:
        # Keys that a processor does not have are reported on standard error.
        lines = subprocess.run(
            ["sysctl", *keys], capture_output=True, text=True, check=False
        ).stdout.splitlines()
    except OSError:
        return Processor(fallback)
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    present = {name for key, name in _MACOS_KEYS.items() if fields.get(key) == "1"}
    return Processor(fields.get(keys[0], fallback), frozenset(present))
