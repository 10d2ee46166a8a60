"""Updates of networks in the field: trained once, their bytes kept as records."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

from experiments.sweep.workdir import Workdir
from experiments.trials.binding import digest
from experiments.trials.provenance import provenance
from experiments.updates import differences
from experiments.updates.forms import FORMS
from experiments.updates.networks import FieldNetwork
from experiments.updates.stories import STORIES, grown
from mobilenet_tf import codec, compression, training
from mobilenet_tf.data.dataset import DataSet

RECORDS = "updates"  # see `differences`
# How a network is trained for an update: `compression.update`'s arguments. The first
# is training as usual, after which the network is compressed anew.
ANEW = "all, compressed anew"
ON_OLD_VALUES = "all, on the old values"
TRAININGS: dict[str, dict] = {
    ANEW: {},
    ON_OLD_VALUES: {},
    "all, 10 % of the weights": {"share": 0.1},
    "all, 2 % of the weights": {"share": 0.02},
    "normalization": {"part": "normalization"},
    "classifier": {"part": "classifier"},
}


@dataclasses.dataclass(frozen=True)
class Field:
    """A network in the field in one form, and the data of its update.

    Attributes:
        name: Of the network.
        network: How it is trained.
        story: Why it is updated.
        form: How it is stored.
        before: The data that it was trained on.
        after: The data of the update.
    """

    name: str
    network: FieldNetwork
    story: str
    form: str
    before: DataSet
    after: DataSet

    def config(self, name: str) -> dict:
        """What determines an update with a training, in JSON-ready form."""
        return {
            "first": self.network.trial(self.before).config,
            "form": self.form,
            "training": {"name": name, **TRAININGS[name]},
            "recipe": self.network.again.to_json(),
            "data": self.after.metadata.to_json(),
        }

    def key(self, name: str) -> str:
        """Identifies the update in records and in the working directory."""
        return digest(self.config(name))


def measure_all(
    data: DataSet, networks: dict[str, FieldNetwork], results: str | Path, path: Path
) -> None:
    """Train and measure what has no record yet; each update is written at once.

    Args:
        data: All classes, as they are.
        networks: The networks of the field by their names.
        results: Folder of results.
        path: The working directory.
    """
    workdir = Workdir(path)
    done = differences.read(results, RECORDS)
    known = {record["key"] for record in done}
    for field in _fields(data, networks):
        missing = [name for name in TRAININGS if field.key(name) not in known]
        for record in _updates(field, missing, workdir) if missing else ():
            done.append(record)
            differences.write(results, RECORDS, done)
            sizes = ((way["bytes"], title) for title, way in record["ways"].items())
            print(
                f"{field.story}; {field.name}, {field.form}; {record['training']}: "
                f"top-1 {record['top1']:.4f}, smallest {min(sizes)}",
                flush=True,
            )


def _fields(data, networks) -> Iterator[Field]:
    for (name, network), (title, story) in itertools.product(
        networks.items(), STORIES.items()
    ):
        before, after = story.before(data), story.after(data)
        for form in FORMS:
            yield Field(name, network, title, form, before, after)


def _updates(field, names, workdir) -> Iterator[dict]:
    """Records of a field's updates with some trainings."""
    base = field.network.trained(field.before, workdir)
    compress = FORMS[field.form]
    old = compress(base)
    build = functools.partial(
        field.network.network.model,
        field.after.classes,
        field.after.metadata.base_resolution,
    )
    start, floats = (
        grown(model, build) if field.after.classes > field.before.classes else model
        for model in (old, base)
    )
    accuracies = {
        "top1_before": training.evaluate(old, field.before).top1,
        "top1_not_updated": training.evaluate(start, field.after).top1,
    }
    for name in names:
        origin = provenance()  # now: the files may change during the training
        anew = name == ANEW
        updated = _trained(floats if anew else start, field, name, workdir)
        updated = compress(updated) if anew else updated
        files = [_file(model, workdir.path / "update.mntc") for model in (old, updated)]
        yield {
            "key": field.key(name),
            "story": field.story,
            "network": field.name,
            "form": field.form,
            "training": name,
            **accuracies,
            "top1": training.evaluate(updated, field.after).top1,
            "float32_bytes": 4 * updated.count_params(),
            "file_bytes": len(files[1]),
            "ways": differences.measure(*files),
            "config": field.config(name),
            **origin,
        }


def _trained(model, field, name, workdir):
    """A network with an update; the same call resumes after a kill."""
    snapshot = workdir.path / "trials" / f"update-{field.key(name)}.snapshot.npz"
    updated = compression.update(
        model,
        field.after,
        field.network.again,
        snapshot_path=snapshot,
        report=lambda report: None,
        **TRAININGS[name],
    )
    snapshot.unlink(missing_ok=True)
    return updated


def _file(model, path):
    codec.save(model, path)
    return path.read_bytes()
