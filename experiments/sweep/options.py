"""Where a grid is trained, and what a trial takes of a node."""

from __future__ import annotations

import dataclasses

LOCAL = "local"


class ClusterError(Exception):
    """A cluster cannot be used, or was lost."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Where and how a grid is spread.

    Args:
        address: `LOCAL`, or HOST:PORT of a Ray cluster that this machine is a node of.
        workers: Trials at a time on this machine; None means one for each core.
        cpus: CPU cores that a trial takes on a cluster; None means all of the node with
            the fewest.
        gpus: GPUs that a trial takes; None means one where there are any.
        memory_bytes: Memory that a trial takes; None to reserve none.
        storage: Where snapshots, models and records are kept, see `Storage`; None means
            the working directory.

    Raises:
        ValueError: The address is neither, or options do not go together.
    """

    address: str
    workers: int | None = None
    cpus: int | None = None
    gpus: float | None = None
    memory_bytes: int | None = None
    storage: str | None = None

    def __post_init__(self):
        gpus = self.gpus
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise ValueError(
                f"trial_gpus must be a whole number, or between 0 and 1, got {gpus:g}"
            )
        if self.address == LOCAL:
            if self.cpus is not None:
                raise ValueError(
                    f"trial_cpus must not be given with cluster={LOCAL}, where workers "
                    f"share the cores, got {self.cpus}"
                )
            return
        host, _, port = self.address.rpartition(":")
        if not host or "/" in host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(
                f"cluster must be {LOCAL!r}, or HOST:PORT of a Ray cluster, got "
                f"{self.address!r}"
            )
        if self.workers is not None:
            raise ValueError(
                f"workers must not be given with cluster={self.address}, where Ray "
                "runs as many trials as fit; trial_cpus says what a trial takes"
            )


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a trial takes of a node."""

    cpus: int
    gpus: float = 0
    memory_bytes: int | None = None

    def fit(self, resources: dict[str, float]) -> bool:
        """Whether a node of these resources can take a trial."""
        return (
            resources.get("CPU", 0) >= self.cpus
            and resources.get("GPU", 0) >= self.gpus
            and resources.get("memory", 0) >= (self.memory_bytes or 0)
        )

    def __str__(self) -> str:
        parts = [f"{self.cpus} CPU cores"]
        if self.gpus:
            parts.append(f"{self.gpus:g} GPUs")
        if self.memory_bytes:
            parts.append(f"{self.memory_bytes / 2**30:g} GiB")
        return ", ".join(parts)
