"""Updates of a network in the field: bytes of the difference, and accuracy.

    python -m experiments.over_the_air
    python -m experiments.over_the_air --measure --dataset=imagenette112 \\
        --data_dir=DIR --base_resolution=64 --limit=3000 --mobilenet_weights=FILE

Two stories: a class is added to nine, and the photographs drift (out of focus, darker,
with noise). MobileNet 0.25 in the field is stored by `mobilenet_tf.codec` with weights
in 8 bits or with 32 values a kernel. It is trained again in six ways, and the
difference of the two files is written in four ways. `--measure` trains what has no
record yet; it needs the extra `update`.
Expected: the codec's difference is at most a third of the smallest other one where the
network keeps its values, and 2 % of the file where the classifier alone changes.
Time: half an hour on 2 CPU cores with --measure, seconds from records.
"""

from pathlib import Path

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.report.sheet import Sheet
from experiments.trials import updates
from mobilenet_tf.analysis import table

OURS = "codec.delta"


def content(config: Config) -> list[Part]:
    """A table of bytes for each story, one of seconds, and whether the targets hold."""
    if config.measure:
        if config.mobilenet_weights is None:
            raise ValueError("mobilenet_weights must be given with measure=True")
        workdir = Path(config.workdir) / "over_the_air"
        workdir.mkdir(parents=True, exist_ok=True)
        data = config.load_data()
        updates.measure_all(data, config.mobilenet_weights, config.results, workdir)
    records = updates.read(config.results)
    if not records:
        return ["No update is measured yet."]
    parts: list[Part] = []
    for story in updates.STORIES:
        own = [record for record in records if record["story"] == story]
        if own:
            parts += [f"{story.capitalize()}:", sizes(own, story.replace(" ", "_"))]
    return [
        *parts,
        "Seconds to write and to apply a difference, means:",
        times(records),
    ]


def sizes(records: list[dict], name: str) -> Sheet:
    """Bytes of each way, by network and training, with the accuracy."""
    rows = []
    for record in records:
        ways = {way: found["bytes"] for way, found in record["ways"].items()}
        others = min([record["file_bytes"], *(n for w, n in ways.items() if w != OURS)])
        rows.append(
            (
                record["network"],
                record["training"],
                table.percent(record["top1_not_updated"]),
                table.percent(record["top1"]),
                f"{record['float32_bytes']:,}",
                f"{record['file_bytes']:,}",
                *(f"{size:,}" for size in ways.values()),
                f"{100 * ways[OURS] / others:.1f}",
            )
        )
    columns = ("Network", "Training", "Top-1 % before", "after", "Float32", "File")
    ways = tuple(records[0]["ways"])
    return Sheet((*columns, *ways, "% of the smallest other"), rows, name)


def times(records: list[dict]) -> Sheet:
    """Mean seconds of each way."""
    rows = []
    for way in records[0]["ways"]:
        means = [
            table.mean([record["ways"][way][key] for record in records])
            for key in ("diff_seconds", "apply_seconds")
        ]
        rows.append((way, *(f"{mean:.3f}" for mean in means)))
    return Sheet(("Way", "Write", "Apply"), rows, "seconds")


experiment = Table(
    name="over_the_air",
    title="Updates over the air: bytes of the difference between two networks",
    content=content,
    remark="""\
Sizes are bytes. "Float32" is the whole network in float32, "File" the whole new file of
the codec; the other columns are differences from the old file to it. "All, compressed
anew" trains the float32 network and compresses it again; the other trainings are those
of `mobilenet_tf.compression.update`, which keeps the values of the old kernels. "Top-1
before" is the accuracy on the new task without an update. One seed; the first images of
both splits. HDiffPatch compresses with LZMA2, zstandard at level 22.""",
)

if __name__ == "__main__":
    run(experiment)
