"""Records of training steps at one and two workers: their time and their bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.trials import records
from experiments.trials.exchanges import EXCHANGES, elements
from experiments.trials.provenance import provenance
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.packages import require

# Label, what builds it, arguments; the classes and sides of ImageNet.
NETWORKS = {
    "1 MobileNet": ("mobilenet_tf.build", {}),
    "0.25 MobileNet": ("mobilenet_tf.build", {"alpha": 0.25}),
    "SqueezeNet": ("mobilenet_tf.build_squeezenet", {}),
    "AlexNet": ("mobilenet_tf.models.baselines.alexnet", {}),
    "GoogLeNet": ("mobilenet_tf.models.baselines.googlenet", {}),
    "VGG 16": ("mobilenet_tf.models.baselines.vgg16", {}),
}
BATCH = 4  # images of each worker in a step
STEPS = 5
WORKERS = (1, 2)


@dataclasses.dataclass(frozen=True)
class StepTime:
    """A measured training step.

    Attributes:
        network: Label.
        exchange: Key of `EXCHANGES`.
        workers: Processes, with a core each.
        batch: Images of each worker.
        seconds: Of a step, median.
        loopback_bytes: What passed the loopback interface in a step, median.
        shapes: Of the gradients.
        latency_seconds: Of an all-reduce of one number.
        exchange_16_mib_seconds: Of an all-reduce of 16 MiB.
        load: Processes that ran or waited on this machine in the minute before, a mean,
            those of a measurement before this one among them; `cores` are there for
            them.
        cores: Of the machine.
    """

    network: str
    exchange: str
    workers: int
    batch: int
    seconds: float
    loopback_bytes: float
    shapes: list[list[int]]
    latency_seconds: float
    exchange_16_mib_seconds: float
    load: float
    cores: int
    all_seconds: list[float] = dataclasses.field(default_factory=list)
    loss: float = 0.0


def shapes_of(network: str) -> list[tuple[int, ...]]:
    """The shapes of a network's gradients, from the network itself."""
    return _shapes(network)[0]


def others_of(network: str) -> int:
    """How many numbers the workers average in a step beside the gradients.

    The loss, and the moving statistics of batch normalisation; see `workers_step`.
    """
    return 1 + elements(_shapes(network)[1])


@functools.cache
def _shapes(network):
    """Of what is trained, and of the other variables that are not integers."""
    builder, arguments = NETWORKS[network]
    module, function = builder.rsplit(".", 1)
    build = getattr(importlib.import_module(module), function)

    def shapes():
        model = build(**arguments)
        others = [v for v in model.non_trainable_variables if "float" in v.dtype]
        return [
            [tuple(variable.shape) for variable in variables]
            for variables in (model.trainable_variables, others)
        ]

    return without_weights(shapes)


def path(results: str | Path) -> Path:
    """The file of records in a folder of results."""
    return Path(results) / "distributed_training" / "steps.json"


def read(results: str | Path) -> list[StepTime]:
    """The records of a folder of results; none where there is no file."""
    return [StepTime(**step) for step in records.read_list(path(results), "steps")]


def measure_all(results: str | Path) -> None:
    """Measure what has no record yet; each is written at once."""
    steps = read(results)
    known = {(step.network, step.exchange, step.workers) for step in steps}
    for network in NETWORKS:
        for exchange in EXCHANGES:
            for workers in WORKERS:
                if (network, exchange, workers) in known:
                    continue
                steps.append(measure(network, exchange, workers))
                content = {
                    **provenance(),
                    "steps": [dataclasses.asdict(step) for step in steps],
                }
                records.write(path(results), content)
                last = steps[-1]
                print(
                    f"{network}, {exchange}, {workers} workers: {last.seconds:.2f} s, "
                    f"{last.loopback_bytes:,.0f} bytes",
                    flush=True,
                )


def measure(
    network: str,
    exchange: str,
    workers: int,
    *,
    batch: int = BATCH,
    steps: int = STEPS,
) -> StepTime:
    """Measure the steps of so many processes on this machine.

    Args:
        network: Key of `NETWORKS`.
        exchange: Key of `EXCHANGES`.
        workers: Number of processes.
        batch: Images of each worker.
        steps: Number of steps.

    Raises:
        ImportError: JAX or psutil is not installed.
        ValueError: A process has failed.
    """
    require("jax", extra="jax", purpose="the measurement")
    require("psutil", extra="experiments", purpose="the measurement")
    builder, arguments = NETWORKS[network]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = {
        "builder": builder,
        "arguments": arguments,
        "exchange": exchange,
        "batch": batch,
        "steps": steps,
        "names": ["127.0.0.1"] * workers,
        "port": port,
    }
    load = os.getloadavg()[0]
    first, *_ = _outputs(network, [{**given, "index": each} for each in range(workers)])
    found = json.loads(first.splitlines()[-1])
    return StepTime(
        network, exchange, workers, batch, load=load, cores=os.cpu_count() or 1, **found
    )


def _outputs(network, jobs):
    """What each process prints; as soon as one fails, all are ended."""
    with contextlib.ExitStack() as stack:
        running = []
        for job in jobs:
            # A process would wait for somebody who reads its pipe.
            errors = stack.enter_context(tempfile.TemporaryFile("w+"))
            process = stack.enter_context(_start(job, errors))
            stack.callback(process.kill)
            running.append((process, errors))
        while True:
            codes = [process.poll() for process, _ in running]
            for code, (_, errors) in zip(codes, running, strict=True):
                if code:
                    errors.seek(0)
                    reason = errors.read().strip()[-500:]
                    raise ValueError(f"{network} cannot be measured: {reason}")
            if None not in codes:
                return [process.stdout.read() for process, _ in running]
            time.sleep(0.1)


def _start(job, errors):
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.trials.step_worker", json.dumps(job)],
        env={**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
