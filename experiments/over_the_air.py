"""Updates of a network in the field: bytes of the difference, and accuracy.

    python -m experiments.over_the_air
    python -m experiments.over_the_air --measure --dataset=imagenette112 \\
        --data_dir=DIR --base_resolution=64 --limit=3000 \\
        --networks=mobilenet_0.25=FILE,mobilenet_1.0,squeezenet_1.0=FILE \\
        --requantize=mobilenet_0.25_128=FILE,squeezenet_1.0=FILE,mobilenet_1.0

Two stories with training: a class is added to nine, and the photographs drift (out of
focus, darker, with noise). Networks in the field are stored by `mobilenet_tf.codec`
with weights in 8 bits or with 32 values a kernel. They are trained again in six ways,
and the difference of the two files is written in four ways.
A third story needs no update's training: networks with published weights, or trained
from scratch, go from float32 to 8 bits, as files of the codec and of LiteRT.
`--measure` measures what has no record yet, and goes on where it was killed: trainings
with `--networks`, the third story with `--requantize`. It needs the extra
`differences`. `--limit`, `--epochs` and `--update_epochs` make it affordable.
Expected: the codec's difference is at most a third of the smallest other one where the
network is trained again, and 2 % of the file where the classifier alone changes.
Time: of one CPU core about 45 s for each of MobileNet 0.25's 24 updates with
`--limit=3000`, as much for its two networks in the field; seconds from records.
"""

import dataclasses
import itertools
from pathlib import Path

from absl import flags

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.updates import (
    differences,
    findings,
    measurement,
    networks,
    requantization,
    tables,
)
from experiments.updates.examples import Examples

flags.DEFINE_list(
    "networks",
    [],
    "Networks of the field: mobilenet_ALPHA and squeezenet_1.0, each with =FILE of "
    "ImageNet weights, or trained from scratch.",
)
flags.DEFINE_integer(
    "update_epochs", None, "Epochs of an update; by default 2.", lower_bound=1
)
flags.DEFINE_list(
    "requantize",
    [],
    "Networks of the update to 8 bits: NAME=FILE of published weights, or a name as in "
    "--networks, trained from scratch.",
)


@dataclasses.dataclass(frozen=True)
class UpdateConfig(Config):
    """The configuration with the flags of this script."""

    networks: tuple[str, ...] = ()
    update_epochs: int | None = None
    requantize: tuple[str, ...] = ()


def content(config: UpdateConfig) -> list[Part]:
    """A table of bytes for each story, and whether the targets hold."""
    if config.measure:
        _measure(config)
    records = sorted(differences.read(config.results, measurement.RECORDS), key=_place)
    requantized = differences.read(config.results, requantization.RECORDS)
    parts: list[Part] = []
    groups = itertools.groupby(records, key=_heading)
    for number, (heading, own) in enumerate(groups):
        parts += [f"{heading}:", tables.sizes(list(own), f"updates{number + 1}")]
    if requantized:
        parts += [
            "From float32 to 8 bits, without training:",
            tables.quantized(requantized),
            findings.evaluated_on(requantized),
        ]
    if both := [*records, *requantized]:
        parts += findings.targets(records, requantized)
        parts += [findings.larger(both), *findings.budgets(records)]
        parts += ["Seconds to write and to apply, medians over the updates:"]
        parts += [tables.seconds(both), findings.measured_on(both)]
    by_cost = "Whole files, by cost (not trained, 1000 classes):"
    return [*parts, by_cost, tables.by_cost()]


def _place(record):
    """Where a record stands: by data, story, network, form and training."""
    order = [measurement.STORIES, measurement.FORMS, measurement.TRAININGS]
    names = record["story"], record["form"], record["training"]
    story, form, training = (
        list(legal).index(name) for legal, name in zip(order, names, strict=True)
    )
    return _setting(record), story, record["network"], form, training


def _heading(record):
    return f"{record['story'].capitalize()}; {_setting(record)}"


def _setting(record):
    data = record["config"]["first"]["data"]
    name, limit = data["name"].partition(",")[0], data.get("limit")
    images = "" if limit is None else f", at most {limit:,} images of each split"
    return f"{name} at {data['base_resolution']} px{images}"


def _measure(config):
    to_8_bits = requantization.check(config.requantize, config.epochs)
    field = networks.parse(config.networks, config.epochs, config.update_epochs)
    if not field and not to_8_bits:
        raise ValueError("networks or requantize must be given with measure=True")
    differences.ways()  # fails early without their packages
    data = config.load_data()
    photographs = None
    if any(isinstance(source, str) for source in to_8_bits.values()):
        photographs = Examples.of_imagenet(config.dataset, config.data_dir)
    results, workdir = config.results, Path(config.workdir)
    requantization.measure_all(data, photographs, to_8_bits, results, workdir)
    measurement.measure_all(data, field, results, workdir)


experiment = Table(
    name="over_the_air",
    title="Updates over the air: bytes of the difference between two networks",
    content=content,
    config=UpdateConfig,
    remark="""\
Sizes are bytes. "Float32" is the whole network in float32, "File" the whole new file of
the codec; the other columns are differences from the old file to it. In 8 bits, kernels
are multiples of a scale per channel; scales, biases and normalisation have 12
significant bits in both forms. "All, compressed anew" trains the float32 network and
compresses it again; the other trainings are those of `mobilenet_tf.compression.update`,
which keeps the values of the old kernels. There both accuracies are on the new task.
With 32 values, normalisation alone changes no kernel, and each of its numbers is a new
one: there is little to predict, and the other ways find the kernels unchanged as well.
One seed; the first images of both splits. From float32 to 8 bits, LiteRT's file is its
int8 file, calibrated on images of the training split which are not evaluated;
MobileNets with an input side in their name and SqueezeNet have published weights, which
have few values in float32 too: they come from a quantised release and a file of Deep
Compression. HDiffPatch compresses with LZMA2, zstandard at level 22. By cost, a file in
8 bits has one byte for each weight in a kernel and 4 for all others, before entropy
coding.""",
)

if __name__ == "__main__":
    run(experiment)
