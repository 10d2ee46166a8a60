"""The process at which the processes of a training meet: JAX's coordination service.

    python -m mobilenet_tf.hosts.coordinator ADDRESS:PORT PROCESSES SECONDS

It outlives the first process of the training, which starts it. When it ends, JAX aborts
the others on the spot with a stack trace; until then they can say what has happened.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

from mobilenet_tf.hosts.connection import HEARTBEAT_SECONDS, SHUTDOWN_SECONDS
from mobilenet_tf.hosts.service import FINISHED, LISTENING
from mobilenet_tf.hosts.watch import ENDED_SECONDS

# So long the others may still read what the first process has left for them.
GRACE_SECONDS = 10


def serve(address: str, processes: int, seconds: int) -> None:
    """Serve until standard input is closed, and a little longer.

    Args:
        address: What to listen at, `HOST:PORT`.
        processes: Number of processes of the training.
        seconds: For how long all of them are waited for.
    """
    from jax._src.lib import _jax  # the public function serves in the caller's process

    service = _jax.get_distributed_runtime_service(
        address,
        processes,
        heartbeat_timeout=HEARTBEAT_SECONDS,
        cluster_register_timeout=seconds,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    with contextlib.suppress(OSError):  # the first process has ended already
        os.write(sys.stdout.fileno(), LISTENING.encode())
    with contextlib.suppress(KeyboardInterrupt):
        if sys.stdin.read() != FINISHED:  # lost, which the others have to notice
            time.sleep(ENDED_SECONDS)
        time.sleep(GRACE_SECONDS)
    service.shutdown()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
