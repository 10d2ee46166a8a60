"""Distributed training: what is sent in a step, and what many workers gain.

    python -m experiments.distributed_training
    KERAS_BACKEND=jax python -m experiments.distributed_training --measure \\
        --dataset=imagenette112 --data_dir=DIR --base_resolution=64 --limit=3000 \\
        --epochs=10 --batch_size=64

Paper: arXiv 1602.07360, section 1: networks with fewer parameters train faster on
several servers, because what is communicated is proportional to them.
`--measure` measures what has no record yet: training steps of one and of two processes
on this machine, each on a core of its own, and with `--dataset` the accuracy that
MobileNet 0.25 reaches with each exchange of gradients.
Expected: bytes as counted within 5 %, with every exchange.
Time: seconds from records; with --measure an hour on 2 CPU cores, and with --dataset
as long again.
"""

from pathlib import Path

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.report import (
    scaling,
    speedup_claims,
    speedup_figures,
    speedup_sheets,
)
from experiments.report.claims import DECIDED
from experiments.report.drawing import Figure
from experiments.report.resampling import DRAWS
from experiments.report.sheet import Sheet
from experiments.trials import exchange_accuracy, step_times
from experiments.trials.exchanges import EXCHANGES
from mobilenet_tf.analysis import table


def content(config: Config) -> list[Part]:
    """Bytes, times, speed-up, accuracy, and the claim."""
    if config.measure:
        _measure(config)
    measured = scaling.of(step_times.read(config.results))
    trainings = exchange_accuracy.read(config.results)
    parts: list[Part] = [
        "Bytes that two workers send in a step:",
        speedup_sheets.bytes_sheet(measured),
    ]
    if measured:
        parts += [
            "Seconds of a step on this machine, with a core for each worker:",
            speedup_sheets.times_sheet(measured),
            speedup_sheets.link(measured),
            f"Speed-up of {scaling.WORKERS[-1]} workers over one, by the model below:",
            speedup_sheets.speedup_sheet(measured),
            *filter(None, [speedup_sheets.above_workers(measured)]),
            *speedup_claims.claims(measured),
            _METHOD,
        ]
    if trainings:
        parts += [
            f"Accuracy of {exchange_accuracy.ALPHA:g} MobileNet with "
            f"{exchange_accuracy.WORKERS} workers:",
            accuracy_sheet(trainings),
            _setting(trainings[0]),
        ]
    return parts


def _measure(config):
    trains = config.dataset != Config.dataset
    if trains:
        recipe = exchange_accuracy.checked(config.training_recipe)
        data = config.load_data()
        exchange_accuracy.check_records(data, recipe, config.results)
    step_times.measure_all(config.results)
    if trains:
        exchange_accuracy.measure_all(data, recipe, config.seeds, config.results)


def accuracy_sheet(trainings: list[dict]) -> Sheet:
    """Top-1 and loss of each exchange, over the seeds."""
    rows = []
    for exchange in EXCHANGES:
        own = [training for training in trainings if training["exchange"] == exchange]
        if own:
            top1s = [training["top1"] for training in own]
            spread = table.spread(top1s)
            rows.append(
                (
                    EXCHANGES[exchange].label,
                    table.percent(table.mean(top1s)),
                    "–" if spread is None else table.percent(spread),
                    len(own),
                    f"{table.mean([t['history'][-1]['loss'] for t in own]):.3f}",
                )
            )
    columns = ("Exchange", "Top-1 %", "±", "Seeds", "Last training loss")
    return Sheet(columns, rows, "accuracy")


def _setting(training):
    data, recipe = training["data"], training["recipe"]
    return (
        f"{data['name']}, {data['train_size']:,} training and "
        f"{data['evaluation_size']:,} validation images, {data['base_resolution']} px, "
        f"recipe `{recipe['name']}`, {recipe['epochs']} epochs, batches of "
        f"{recipe['batch_size']}."
    )


def figures(config: Config, path: Path) -> list[Figure]:
    """Speed-up over workers; nothing without records."""
    measured = scaling.of(step_times.read(config.results))
    return speedup_figures.figures(measured, path) if measured else []


_METHOD = (
    f"A claim on what workers gain is decided if {100 * DECIDED:.0f} % of {DRAWS:,} "
    "resamples of the measured steps and latencies agree with what was measured. The "
    "steps of a network are of one run: how runs differ is not known."
)
_ROUNDS = "; ".join(f"{way.label}: {way.rounds}" for way in EXCHANGES.values())

experiment = Table(
    name="distributed_training",
    title="Distributed training: what is sent in a step, and what many workers gain",
    content=content,
    figures=(figures,),
    remark=f"""\
- Counted: a ring all-reduce of N workers sends 2 (N - 1) / N times what is added up
  from each: the gradients; and with every exchange in float32 the moving statistics of
  batch normalisation, and the loss. Measured: what the loopback interface counts in a
  step, with the headers of the packets, and what other programs send.
- Exchanges: bfloat16 sends gradients in 16 bits and adds them up in 32. PowerSGD
  (arXiv 1905.13727) sends two thin factors of each kernel's gradient, and adds what
  they leave out to the next gradient. All gradients travel as one vector, in so many
  rounds: {_ROUNDS}.
  Statistics and loss are taken to travel along, in no round of their own.
- The model: each worker keeps its batch, and sends nothing while it computes. A step
  takes the measured step of one worker, with the work of the exchange; what it sends
  over the bandwidth; and for each round the latency of the loopback interface for each
  worker on the ring. The latency is one for all, the median over all networks and
  exchanges: it is a property of the machine and the protocol, and where a measurement
  is far from the others, that is noise. Networks between machines have other latencies;
  a library that sends while it computes hides a part of the time.
- By the model: the speed-up of two workers with the bandwidth of the loopback
  interface, beside the measured one. The model does not know that the two share the
  memory of this machine, nor that all wait for the slowest one.
- What many workers gain follows from the bytes that are sent for a second of computing,
  not from the parameters alone: 0.25 MobileNet has the fewest, and the shortest steps;
  VGG 16 has the most, and the longest.
- "100 times as fast" stands for workers with accelerators, whose speed is assumed. By
  the model it changes how much is gained in float32, not which network gains more.
- Load: processes that ran or waited in the minute before, those of the measurement
  before this one among them. Far above 2, other programs ran too, and seconds may be
  too long; bytes do not depend on it.""",
)

if __name__ == "__main__":
    run(experiment)
