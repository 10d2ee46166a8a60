"""Tables of updates, from their records."""

from __future__ import annotations

import operator

from experiments.report.sheet import Sheet
from experiments.updates import costs
from mobilenet_tf.analysis import table

OURS = "codec.delta"
# Targets, in percent: of the smallest other way, where a network is trained again or
# quantised; and of the whole new file, where the classifier alone changes.
OF_THE_OTHERS, OF_THE_FILE = 100 / 3, 2.0


def smallest_other(record: dict) -> int:
    """Bytes of the smallest way but ours, the whole new file among them."""
    ways = (found["bytes"] for way, found in record["ways"].items() if way != OURS)
    return min(record["file_bytes"], *ways)


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
    return ["Targets of `codec.delta`:", *(_target(*one) for one in chosen if one[1])]


def _target(updates_of, chosen, most, whole, size):
    shares = [100 * record["ways"][OURS]["bytes"] / size(record) for record in chosen]
    reached = sum(share <= most for share in shares)
    return (
        f"{updates_of}: at most {most:.0f} % of {whole} in {reached} of {len(shares)} "
        f"updates; they take {min(shares):.1f} to {max(shares):.1f} %."
    )


def quantized(records: list[dict]) -> Sheet:
    """Bytes of each way, and accuracy, of networks that go from float32 to 8 bits."""
    rows = [
        (
            record["network"].replace("_", " "),
            record["file"],
            table.percent(record["top1_before"]),
            table.percent(record["top1"]),
            f"{record['float32_bytes']:,}",
            f"{record['file_bytes']:,}",
            *(f"{way['bytes']:,}" for way in record["ways"].values()),
            f"{100 * record['ways'][OURS]['bytes'] / smallest_other(record):.1f}",
        )
        for record in records
    ]
    columns = ("Network", "Format", "Top-1 % in float32", "in 8 bits")
    columns = (*columns, "Old file", "New file", *records[0]["ways"])
    return Sheet((*columns, "% of the smallest other"), rows, "to_8_bits")


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


def sizes(records: list[dict], name: str) -> Sheet:
    """Bytes of each way, by network and training, with the accuracy."""
    rows = []
    for record in records:
        ways = {way: found["bytes"] for way, found in record["ways"].items()}
        rows.append(
            (
                record["network"].replace("_", " "),
                record["form"],
                record["training"],
                table.percent(record["top1_not_updated"]),
                table.percent(record["top1"]),
                f"{record['float32_bytes']:,}",
                f"{record['file_bytes']:,}",
                *(f"{size:,}" for size in ways.values()),
                f"{100 * ways[OURS] / smallest_other(record):.1f}",
            )
        )
    columns = ("Network", "Form", "Training", "Top-1 % not updated", "updated")
    columns = (*columns, "Float32", "File")
    ways = tuple(records[0]["ways"])
    return Sheet((*columns, *ways, "% of the smallest other"), rows, name)


def by_cost() -> Sheet:
    """Bytes of whole networks, and of what changes with the classifier alone."""
    rows = [
        (
            cost.name,
            f"{cost.float32_bytes:,}",
            f"{cost.int8_bytes:,}",
            f"{cost.classifier_bytes:,}",
            f"{100 * cost.classifier_bytes / cost.int8_bytes:.1f}",
        )
        for cost in costs.whole_files()
    ]
    columns = ("Network", "Float32", "8 bits", "Classifier in 8 bits")
    return Sheet((*columns, "% of the file"), rows, "by_cost")
