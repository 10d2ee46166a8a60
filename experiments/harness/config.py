"""The configuration of a run: parsed once from the flags, then passed down."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Self

from absl import flags

from experiments.sweep.options import LOCAL, Options
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.data.tfds_source import from_tfds
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import RECIPES

# The fields that change neither what is trained nor what is shown.
_LEFT_OUT = (
    *("workdir", "dry_run", "render", "results", "tables_dir", "documents", "arrays"),
    *("data_dir", "data_mode", "memory_budget_gib", "cluster", "workers"),
    *("trial_cpus", "trial_gpus", "trial_memory_gib", "storage"),
    *("hosts", "host_index", "hosts_wait"),
)


@dataclasses.dataclass(frozen=True)
class Config:
    """The parsed command line; every field has the name of its flag.

    The flags' help in `experiments.harness.flags` describes each of them.
    """

    dataset: str = EMBEDDED
    data_dir: str | None = None
    base_resolution: int | None = None
    recipe: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seeds: int = 1
    only: str | None = None
    limit: int | None = None
    workdir: str = "runs"
    dry_run: bool = False
    render: bool = False
    results: str = "experiments/results"
    tables_dir: str | None = None
    documents: tuple[str, ...] = ()
    train_split: str | None = None
    eval_split: str | None = None
    image_key: str | None = None
    label_key: str | None = None
    to_rgb: bool = False
    data_mode: str = "auto"
    memory_budget_gib: float = 4.0
    arrays: str | None = None
    precision: str = "auto"
    data_parallel: bool = False
    cluster: str | None = None
    workers: int | None = None
    trial_cpus: int | None = None
    trial_gpus: float | None = None
    trial_memory_gib: float | None = None
    storage: str | None = None
    measure: bool = False
    mobilenet_weights: tuple[str, ...] = ()
    squeezenet_weights: str | None = None
    hosts: tuple[str, ...] = ()
    host_index: int | None = None
    hosts_wait: float = 120.0

    @classmethod
    def from_flags(cls, values: flags.FlagValues) -> Self:
        """The configuration that parsed flags describe."""
        given = {
            field.name: values[field.name].value for field in dataclasses.fields(cls)
        }
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in given.items()
            }
        )

    def command(self, script: str) -> str:
        """The command line of a script under this configuration.

        `DIR` stands for the folder of data sets. Flags are left out that only say where
        files are and how the work is shared.
        """
        words = ["python", "-m", f"experiments.{script}"]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in _LEFT_OUT or value == field.default:
                continue
            if isinstance(value, tuple):
                value = ",".join(value)
            flag = f"--{field.name}"
            words.append(flag if value is True else f"{flag}={shlex.quote(str(value))}")
            if field.name == "dataset":
                words.append("--data_dir=DIR")
        return " ".join(words)

    @property
    def training_recipe(self) -> Recipe:
        """The recipe, with its epochs and batch size as the flags change them."""
        changes = {
            name: getattr(self, name)
            for name in ("epochs", "batch_size")
            if getattr(self, name) is not None
        }
        default = "short" if self.dataset == EMBEDDED else "modern"
        return dataclasses.replace(RECIPES[self.recipe or default], **changes)

    @property
    def slug(self) -> str:
        """Part of a file name: data set, recipe, and epochs that the flags give."""
        parts = [self.dataset.replace("/", "_"), self.training_recipe.name]
        if self.epochs is not None:
            parts.append(f"{self.epochs}_epochs")
        return "-".join(parts)

    @property
    def cluster_options(self) -> Options | None:
        """Where the grid is spread; None where this process trains all.

        Raises:
            ValueError: Flags do not go together.
        """
        address = self.cluster
        if address is None and (self.workers or 1) > 1:
            address = LOCAL
        memory = self.trial_memory_gib
        if address is not None:
            return Options(
                address,
                self.workers,
                self.trial_cpus,
                self.trial_gpus,
                None if memory is None else int(memory * 2**30),
                self.storage,
            )
        for name in ("trial_cpus", "trial_gpus", "trial_memory_gib", "storage"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} must be given with cluster= only")
        return None

    @property
    def mobilenet_file(self) -> str | None:
        """The only file of `mobilenet_weights`; None where there is none.

        Raises:
            ValueError: There are several.
        """
        if len(self.mobilenet_weights) > 1:
            raise ValueError(
                f"mobilenet_weights must be one file here, got {self.mobilenet_weights}"
            )
        return next(iter(self.mobilenet_weights), None)

    @property
    def tables_folder(self) -> Path:
        """The folder of tables and figures."""
        return Path(self.tables_dir or Path(self.workdir) / "tables")

    def load_data(
        self, report: Callable[[str], None] = print, *, download: bool = True
    ) -> DataSet:
        """Load the data set, preparing it where needed.

        Args:
            report: Called with a line that describes the data set.
            download: Prepare it where it is not; False raises ValueError then.

        Raises:
            ValueError: A flag does not fit the data set, or its images have several
                labels each.
        """
        return from_tfds(
            self.dataset,
            self.data_dir,
            base_resolution=self.base_resolution,
            mode=self.data_mode,
            memory_budget_bytes=int(self.memory_budget_gib * 2**30),
            arrays=self.arrays,
            train_split=self.train_split,
            evaluation_split=self.eval_split,
            image_key=self.image_key,
            label_key=self.label_key,
            limit=self.limit,
            to_rgb=self.to_rgb,
            single_label=True,
            download=download,
            report=report,
        )
