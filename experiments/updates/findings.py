"""What the records of updates show, in sentences."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from experiments.updates import measurement
from experiments.updates.tables import OURS, smallest_other

# Targets, in percent: of the smallest other way, where a network is trained again or
# quantised; and of the whole new file, where the classifier alone changes.
OF_THE_OTHERS, OF_THE_FILE = 100 / 3, 2.0


def targets(records: list[dict], requantized: list[dict]) -> list[str]:
    """Sentences on which updates reach the targets."""
    classifier = [record for record in records if record["training"] == "classifier"]
    others = [record for record in records if record["training"] != "classifier"]
    file_bytes = operator.itemgetter("file_bytes")
    other, file = "the smallest other way", "the whole file"
    chosen = [
        ("Trained again", others, OF_THE_OTHERS, other, smallest_other),
        ("To 8 bits", requantized, OF_THE_OTHERS, other, smallest_other),
        ("Classifier alone", classifier, OF_THE_FILE, file, file_bytes),
    ]
    return [
        "Targets of `codec.delta`:",
        *(_target(*pair) for pair in chosen if pair[1]),
    ]


def _target(updates_of, chosen, most, whole, size):
    shares = [100 * record["ways"][OURS]["bytes"] / size(record) for record in chosen]
    missed = [
        f"{_update(record)} ({share:.1f} %)"
        for record, share in zip(chosen, shares, strict=True)
        if share > most
    ]
    where = f" Not in: {'; '.join(missed)}." if missed else ""
    return (
        f"{updates_of}: at most {most:.0f} % of {whole} in "
        f"{len(shares) - len(missed)} of {len(shares)} updates; they take "
        f"{min(shares):.1f} to {max(shares):.1f} %.{where}"
    )


def evaluated_on(records: list[dict]) -> str:
    """What the accuracies of `quantized` are of."""
    sets = dict.fromkeys(_evaluated_on(record["data"]) for record in records)
    return f"Top-1 is on {'; '.join(sets)}."


def _evaluated_on(data):
    name = data["name"]
    if count := data.get("imagenet_validation_images"):
        return (
            f"the {count:,} photographs of ImageNet's validation set in {name}, over "
            "1,000 classes, for published weights"
        )
    images, classes = data["evaluation_size"], len(data["class_names"])
    return (
        f"{images:,} images of the evaluation split of {name} at "
        f"{data['base_resolution']} px, over {classes} classes, for a network trained "
        "from scratch"
    )


def larger(records: Sequence[dict]) -> str:
    """Where another way takes fewer bytes than ours."""
    found = [
        f"{_update(record)} "
        f"({record['ways'][OURS]['bytes']:,} and {smallest_other(record):,} bytes)"
        for record in records
        if record["ways"][OURS]["bytes"] > smallest_other(record)
    ]
    where = f": {'; '.join(found)}" if found else ""
    return (
        f"`codec.delta` is larger than the smallest other way in {len(found)} of "
        f"{len(records)} updates{where}."
    )


def _update(record):
    """An update in a few words."""
    name = record["network"].replace("_", " ")
    if "file" in record:
        return f"{name}, {record['file']} to 8 bits"
    return f"{name}, {record['form']}, {record['training']}, {record['story']}"


def measured_on(records: Iterable[dict]) -> str:
    """How the seconds of records came about."""
    devices = "; ".join(dict.fromkeys(record["device"] for record in records))
    return (
        f"Each update was measured once, on the device of its record ({devices}); "
        "records do not say what else the device had to do. "
        "`benchmarks.difference_seconds` measures in rounds, on a quiet machine: see "
        "[its table](../../benchmarks/README.md)."
    )


def budgets(records: Iterable[dict]) -> list[str]:
    """Which budgets of weights were more than the update needed, and why."""
    by_key = {(_setting(record), record["training"]): record for record in records}
    same: dict[str, list[bool]] = {}
    for (setting, training), record in by_key.items():
        without = by_key.get((setting, measurement.ON_OLD_VALUES))
        if without and "share" in measurement.TRAININGS[training]:
            budget = f"{record['form']}, {training.removeprefix('all, ')}"
            same.setdefault(budget, []).append(_result(record) == _result(without))
    cases = [
        f"{budget}: in {sum(equal)} of {len(equal)} updates"
        for budget, equal in same.items()
        if any(equal)
    ]
    if not cases:
        return []
    return [
        "A budget changes nothing where the training brings fewer weights than it "
        "allows to another value of their kernel, and 32 values are far apart. The "
        f"update is the same as without a budget with {'; '.join(cases)}."
    ]


def _setting(record):
    """All that determines an update but its training."""
    first = record["config"]["first"]
    return str(first), record["story"], record["network"], record["form"]


def _result(record):
    sizes = [way["bytes"] for way in record["ways"].values()]
    return record["top1"], record["file_bytes"], sizes
