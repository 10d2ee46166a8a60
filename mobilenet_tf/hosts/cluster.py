"""Connecting the processes of a training: all agree, or none begins."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator
from typing import Any

from mobilenet_tf.hosts import connection
from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError, Watch, ended

# At the end the others wait for the first process, which writes files.
_END_SECONDS = 3600


class Cluster:
    """This process among those of a training; see `joined`.

    Args:
        hosts: All processes.
        client: JAX's client of the coordination service.
    """

    def __init__(self, hosts: Hosts, client: Any):
        self.hosts, self._client = hosts, client
        self._topics = 0
        self.watch = Watch(hosts, client)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.hosts.index == 0

    def agree(
        self,
        what: str,
        value: dict[str, Any],
        why: str = "",
        seconds: float = math.inf,
    ) -> None:
        """Check that all processes have the values of the first.

        Args:
            what: What the values are of, in words.
            value: JSON values by name.
            why: Follows in the message.
            seconds: For how long others are waited for at most; they may take hours to
                load a data set, and one that has ended is noticed in any case.

        Raises:
            ValueError: They differ; the message names hosts and values.
            HostError: A process has failed or does not come.
        """
        self._topics += 1
        topic = f"agree/{self._topics}/"
        self._client.key_value_set(f"{topic}{self.hosts.index}", json.dumps(value))
        values = [
            json.loads(self._wait_for(f"{topic}{index}", index, what, seconds))
            for index in range(self.hosts.count)
        ]
        for index, other in enumerate(values):
            for name, expected in values[0].items():
                if other.get(name) != expected:
                    raise ValueError(
                        f"all hosts must have the same {what}: "
                        f"{self.hosts.describe(index)} has {name} {other.get(name)}, "
                        f"{self.hosts.describe(0)} has {expected}{why}"
                    )

    def of_first(self, value: Any) -> Any:
        """A JSON value of the first process.

        Raises:
            HostError: It has failed or does not come.
        """
        self._topics += 1
        topic = f"first/{self._topics}"
        if self.first:
            self._client.key_value_set(topic, json.dumps(value))
        return json.loads(self._wait_for(topic, 0, "decision"))

    def _wait_for(
        self, key: str, index: int, what: str, seconds: float = math.inf
    ) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(Exception):  # of the backend: not there yet
                return self._client.blocking_key_value_get(key, 1000)
            if reason := self.watch.reason():
                raise HostError(reason)
        raise HostError(
            f"{self.hosts.describe(index)} has not told its {what} within {seconds:g} s"
        )

    def end(self) -> None:
        """Wait for all others, and leave.

        Raises:
            HostError: Another process has failed.
        """
        self._client.wait_at_barrier("end", 1000 * _END_SECONDS)
        self.watch.stop()
        self._client.shutdown()

    def start_devices(self) -> dict[str, Any]:
        """Give this process its devices, which know of those of the others.

        Returns:
            What all hosts must have the same of.

        Raises:
            HostError: JAX cannot start, here or since another process has failed.
        """
        try:
            connection.use_devices(self.hosts, self._client)
            return connection.devices()
        except RuntimeError as error:  # whatever the reason is
            if reason := self.watch.reason():
                raise HostError(ended(reason)) from error
            self._tell(error)
            place = self.hosts.describe(self.hosts.index)
            raise HostError(f"JAX cannot start on {place}: {_said(error)}") from error

    def failure(self, error: BaseException) -> BaseException:
        """The error to raise for one that has ended the training here."""
        if connection.has_broken(error):
            error = HostError(ended(self.watch.wait_for_reason()))
        elif not isinstance(error, HostError):
            self._tell(error)
        self.watch.stop()
        return error

    def _tell(self, error):
        """Tell the others why this process ends."""
        with contextlib.suppress(Exception):  # of the backend
            self.watch.fail(_said(error))


@contextlib.contextmanager
def joined(hosts: Hosts, seconds: float = 120) -> Iterator[Cluster]:
    """Connect with the other processes; inside, JAX's devices are those of all.

    The first process listens at its address and port, and every process at its own
    address, at ports that the system chooses; nothing listens at other addresses, where
    CPUs train. On GPUs NCCL listens as its own environment variables say.

    Args:
        hosts: All processes.
        seconds: For how long the others are waited for until all are connected.

    Raises:
        ValueError: The backend is not JAX; or the versions of Python or of packages,
            the code of this one, or the devices differ; or the others cannot reach the
            address of this process.
        HostError: That is no address of this machine; or a process does not come, or
            fails, now or inside.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise ValueError(
            "hosts must be given with the JAX backend only, KERAS_BACKEND=jax; got "
            f"{keras.backend.backend()!r}"
        )
    with connection.established(hosts, seconds) as client:
        cluster = Cluster(hosts, client)
        try:
            cluster.agree(
                "devices",
                cluster.start_devices(),
                "; a host must not run more processes than it has devices",
                seconds,
            )
            connection.connect_devices()
            yield cluster
            cluster.end()
        except BaseException as error:
            failure = cluster.failure(error)
            if failure is error:
                raise
            raise failure from error
        finally:
            connection.leave()


def _said(error):
    return str(error) or type(error).__name__
