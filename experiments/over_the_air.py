"""Updates of a network in the field: bytes of the difference, and accuracy.

    python -m experiments.over_the_air
    python -m experiments.over_the_air --measure --dataset=imagenette112 \\
        --data_dir=DIR --base_resolution=64 --limit=3000 --mobilenet_weights=FILE \\
        --requantize=mobilenet_0.25_128=FILE,squeezenet_1.0=FILE

Two stories with training: a class is added to nine, and the photographs drift (out of
focus, darker, with noise). MobileNet 0.25 in the field is stored by
`mobilenet_tf.codec` with weights in 8 bits or with 32 values a kernel. It is trained
again in six ways, and the difference of the two files is written in four ways.
A third story needs none: networks with published weights go from float32 to 8 bits, as
files of the codec and of LiteRT.
`--measure` measures what has no record yet: trainings with `--mobilenet_weights`, the
third story with `--requantize`. It needs the extra `differences`.
Expected: the codec's difference is at most a third of the smallest other one where the
network keeps its values, and 2 % of the file where the classifier alone changes.
Time: half an hour on 2 CPU cores with --measure, seconds from records.
"""

import dataclasses
import operator
from pathlib import Path

from absl import flags

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.report.sheet import Sheet
from experiments.trials import differences, requantization, updates
from mobilenet_tf.analysis import table

flags.DEFINE_list("requantize", [], "Published weights for the update to 8 bits.")

OURS = "codec.delta"
# Targets, in percent: of the smallest other way, where a network is trained again or
# quantised; and of the whole new file, where the classifier alone changes.
OF_THE_OTHERS, OF_THE_FILE = 100 / 3, 2.0


@dataclasses.dataclass(frozen=True)
class UpdateConfig(Config):
    """The configuration with the flags of this script."""

    requantize: tuple[str, ...] = ()


def content(config: UpdateConfig) -> list[Part]:
    """A table of bytes for each story, and whether the targets hold."""
    if config.measure:
        _measure(config)
    records = differences.read(config.results, updates.RECORDS)
    requantized = differences.read(config.results, requantization.RECORDS)
    if not records and not requantized:
        return ["No update is measured yet."]
    parts: list[Part] = []
    for story in updates.STORIES:
        own = [record for record in records if record["story"] == story]
        if own:
            parts += [f"{story.capitalize()}:", sizes(own, story.replace(" ", "_"))]
    if requantized:
        parts += ["From float32 to 8 bits, without training:", quantized(requantized)]
    return [*parts, *targets(records, requantized)]


def _measure(config):
    weights = requantization.check(config.requantize)
    if config.mobilenet_weights is None and not weights:
        raise ValueError(
            "mobilenet_weights or requantize must be given with measure=True"
        )
    workdir = Path(config.workdir) / "over_the_air"
    workdir.mkdir(parents=True, exist_ok=True)
    data = config.load_data()
    requantization.measure_all(data, weights, config.results, workdir)
    if config.mobilenet_weights is not None:
        updates.measure_all(data, config.mobilenet_weights, config.results, workdir)


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
    """Bytes of each way for networks that go from float32 to 8 bits."""
    rows = [
        (
            record["network"].replace("_", " "),
            record["file"],
            f"{record['float32_bytes']:,}",
            f"{record['file_bytes']:,}",
            *(f"{way['bytes']:,}" for way in record["ways"].values()),
            f"{100 * record['ways'][OURS]['bytes'] / smallest_other(record):.1f}",
        )
        for record in records
    ]
    columns = ("Network", "Format", "Old file", "New file", *records[0]["ways"])
    return Sheet((*columns, "% of the smallest other"), rows, "to_8_bits")


def sizes(records: list[dict], name: str) -> Sheet:
    """Bytes of each way, by network and training, with the accuracy."""
    rows = []
    for record in records:
        ways = {way: found["bytes"] for way, found in record["ways"].items()}
        rows.append(
            (
                record["network"],
                record["training"],
                table.percent(record["top1_not_updated"]),
                table.percent(record["top1"]),
                f"{record['float32_bytes']:,}",
                f"{record['file_bytes']:,}",
                *(f"{size:,}" for size in ways.values()),
                f"{100 * ways[OURS] / smallest_other(record):.1f}",
            )
        )
    columns = ("Network", "Training", "Top-1 % before", "after", "Float32", "File")
    ways = tuple(records[0]["ways"])
    return Sheet((*columns, *ways, "% of the smallest other"), rows, name)


experiment = Table(
    name="over_the_air",
    title="Updates over the air: bytes of the difference between two networks",
    content=content,
    config=UpdateConfig,
    remark="""\
Sizes are bytes. "Float32" is the whole network in float32, "File" the whole new file of
the codec; the other columns are differences from the old file to it. "All, compressed
anew" trains the float32 network and compresses it again; the other trainings are those
of `mobilenet_tf.compression.update`, which keeps the values of the old kernels. "Top-1
before" is the accuracy on the new task without an update. One seed; the first images of
both splits. To 8 bits, the codec's file has kernels in multiples of a scale per channel
and all else in float32; LiteRT's is its int8 file. MobileNet's published weights come
from a quantised release: in float32 too they have few values. HDiffPatch
compresses with LZMA2, zstandard at level 22.""",
)

if __name__ == "__main__":
    run(experiment)
