"""The environment of Ray's processes: who may use them, and what they may use."""

from __future__ import annotations

import os
import secrets
import sys

from experiments.sweep.options import ClusterError

# Without a token another user of the machine could run programs as this one. A Ray that
# believes to be on macOS listens on the loopback interface alone.
_SECURED = {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
LOCAL_ENVIRONMENT = {
    **_SECURED,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # 15 by default: they would lose to all else
}


def secure() -> None:
    """Set the environment of a local Ray, which it reads when it is imported.

    Raises:
        ClusterError: Ray has been imported with another one.
    """
    if "ray" not in sys.modules:
        os.environ.update(_SECURED, RAY_AUTH_TOKEN=secrets.token_hex(32))
    elif not _SECURED.items() <= os.environ.items():
        raise ClusterError(
            "Ray must not be imported before: it reads its environment then, and would "
            "listen on the network"
        )
    for name, value in LOCAL_ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def of_trials(cpus: int, gpus: float | None, **more: str) -> dict:
    """Ray's `runtime_env` of the processes that train; TensorFlow reads it on import.

    Args:
        cpus: Threads of a trial.
        gpus: GPUs of a trial; None where they are not known yet.
        more: Other variables.
    """
    import keras

    threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    return {
        "env_vars": {
            **dict.fromkeys(threads, str(cpus)),
            "KERAS_BACKEND": keras.backend.backend(),
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
            **_of_gpus(gpus),
            **more,
        }
    }


def _of_gpus(gpus):
    """What keeps processes from taking more of a GPU than their trial may.

    Ray hides no GPU from a task that asks for none, and the frameworks take all of the
    memory of a GPU, which a trial with a part of one must not.
    """
    if gpus == 0:
        return {"CUDA_VISIBLE_DEVICES": ""}
    if gpus is not None and gpus < 1:
        return {
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 * gpus:.3f}",
        }
    return {}
