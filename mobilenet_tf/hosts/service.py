"""The process of JAX's coordination service, beside the first one of a training."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Self

from mobilenet_tf.hosts.watch import HostError

_COMMAND = (sys.executable, "-m", "mobilenet_tf.hosts.coordinator")
LISTENING = "listening\n"  # what it tells the first process
FINISHED = "finished"  # what the first process tells it at a good end


class Service:
    """Runs the service; it ends soon after the block that it is used in.

    Args:
        address: What it listens at, `HOST:PORT`.
        processes: Number of processes of the training.
        seconds: For how long it waits for all of them.
    """

    def __init__(self, address: str, processes: int, seconds: float):
        self._address, self._listens = address, False
        # It may outlive this process, and a pipe that nobody reads would stop it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [*_COMMAND, address, str(processes), str(int(seconds))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for this process, which tells others
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdout.fileno(), False)

    def listens(self) -> bool:
        """Whether processes can connect with it already.

        Raises:
            HostError: It has ended.
        """
        with contextlib.suppress(BlockingIOError):  # it says nothing new
            if not os.read(self._stdout.fileno(), len(LISTENING)):
                raise HostError(
                    f"the coordination service at {self._address} has ended: "
                    f"{self._last_words()}"
                )
            self._listens = True
        return self._listens

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            if kind is None:
                self._stdin.write(FINISHED.encode())
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        self._errors.close()

    def _last_words(self):
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit code {code}"
