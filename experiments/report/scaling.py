"""What data-parallel workers gain, from measured steps and a model of the network."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from experiments.trials import step_times
from experiments.trials.exchanges import EXCHANGES
from experiments.trials.step_times import StepTime
from experiments.trials.step_worker import SIXTEEN_MIB

GIGABITS = (1, 10, 100)
WORKERS = (2, 4, 8, 16, 32, 64)
# A worker as measured, and one with an accelerator; how fast that is, is assumed.
SPEEDS = {1: "as measured", 100: "100 times as fast"}


class Loopback(NamedTuple):
    """All-reduces of two workers on this machine, by all records.

    They tell of the machine and the protocol, not of the network that was trained.

    Attributes:
        latency: Seconds for one number, median.
        gigabits: That each worker sends in a second while 16 MiB are added up, median.
        latencies: Seconds for one number, of each record.
    """

    latency: float
    gigabits: float
    latencies: Sequence[float]


def loopback(steps: Sequence[StepTime]) -> Loopback:
    """From all records of two workers."""
    pairs = [step for step in steps if step.workers == 2]
    latencies = [step.latency_seconds for step in pairs]
    latency = statistics.median(latencies)
    seconds = statistics.median(step.exchange_16_mib_seconds for step in pairs)
    # Two workers send as much as they add up.
    gigabits = 8 * 4 * SIXTEEN_MIB / (seconds - latency) / 1e9
    return Loopback(latency, gigabits, latencies)


@dataclasses.dataclass(frozen=True)
class Measured:
    """A network with one exchange, at one worker and at two.

    Attributes:
        plain: The step of one worker without an exchange (float32 sends nothing there).
        one: That of one worker, with the work of the exchange.
        two: That of two workers.
        others: How many numbers are averaged beside the gradients.
        loopback: The same for all networks and exchanges.
    """

    plain: StepTime
    one: StepTime
    two: StepTime
    others: int
    loopback: Loopback

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the gradients."""
        return [tuple(shape) for shape in self.one.shapes]

    @property
    def byte_ratio(self) -> float:
        """What two workers have sent in a step, as a multiple of what is counted."""
        way = EXCHANGES[self.one.exchange]
        counted = 2 * way.bytes_per_worker(self.shapes, 2, self.others)
        return self.two.loopback_bytes / counted

    def speedup(
        self, workers: int, gigabits: float, speed: float = 1, draws: Any = None
    ) -> Any:
        """Images per second of so many workers over those of one.

        Each keeps its batch. Nothing is sent while it computes.

        Args:
            workers: Number of workers, in a ring.
            gigabits: Per second that each can send, and receive at the same time.
            speed: How many times as fast as measured a worker computes.
            draws: Arrays of seconds instead of the measured ones: of `plain`, of `one`,
                and of the latency.
        """
        seconds = self.plain.seconds, self.one.seconds, self.loopback.latency
        plain, one, latency = draws or seconds
        way = EXCHANGES[self.one.exchange]
        sending = way.bytes_per_worker(self.shapes, workers, self.others)
        # Two messages one after the other made the measured latency.
        waiting = way.rounds * (workers - 1) * latency
        step = one / speed + sending / (gigabits * 1e9 / 8) + waiting
        return workers * plain / speed / step


Measurements = Mapping[tuple[str, str], Measured]


def of(
    steps: Sequence[StepTime], others: Callable[[str], int] = step_times.others_of
) -> dict[tuple[str, str], Measured]:
    """By network and exchange, those that are measured at one worker and at two.

    Args:
        steps: The records.
        others: Called with a network: how many numbers it averages beside gradients.
    """
    by_key = {(step.network, step.exchange, step.workers): step for step in steps}
    result = {}
    for network, exchange in dict.fromkeys((s.network, s.exchange) for s in steps):
        keys = [(network, "float32", 1), (network, exchange, 1), (network, exchange, 2)]
        if all(key in by_key for key in keys):
            plain, one, two = (by_key[key] for key in keys)
            result[network, exchange] = Measured(
                plain, one, two, others(network), loopback(steps)
            )
    return result


def all_seconds(step: StepTime) -> list[float]:
    """Of every step; where a record does not have them, its median."""
    return step.all_seconds or [step.seconds]
