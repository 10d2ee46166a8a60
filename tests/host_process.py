"""One of two processes that are connected and then lose each other, for the tests.

python -m host_process PORT INDEX MODE
"""

import json
import os
import signal
import sys
import time

import numpy as np
import psutil

from mobilenet_tf import hosts


def main(port, index, mode):
    if index and mode == "devices":
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    if index and mode == "no devices":
        os.environ["JAX_PLATFORMS"] = "nowhere"
    chosen = hosts.parse([f"127.0.0.1:{port}", "127.0.0.1"], index)
    with hosts.joined(chosen, 60) as cluster:
        from jax.experimental import multihost_utils

        assert cluster.of_first([index]) == [0]
        gathered = multihost_utils.process_allgather(np.array([index]))
        listening = [
            connected.laddr.ip
            for process in (psutil.Process(), *psutil.Process().children())
            for connected in process.net_connections()
            if connected.status == psutil.CONN_LISTEN
        ]
        places = sorted({place.removeprefix("::ffff:") for place in listening})
        print(json.dumps([gathered.ravel().tolist(), places]), flush=True)
        if mode == "differs":
            cluster.agree("flags", {"--epochs": index})
        if index and mode == "fails":
            raise ValueError("the disk is full")
        if mode == "first lost":  # while the other is not waiting for it
            if index == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(90)
        if index and mode in ("SIGKILL", "SIGSTOP"):
            os.kill(os.getpid(), getattr(signal, mode))
        multihost_utils.process_allgather(np.array([index]))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
