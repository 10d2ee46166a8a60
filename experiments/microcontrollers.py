"""Which networks fit which microcontroller, and how much memory each needs.

    python -m experiments.microcontrollers
    python -m experiments.microcontrollers --board='Raspberry Pi Pico'
    python -m experiments.microcontrollers --sram=256k --flash=1m

The last two print the most accurate network of the committed records that fits, and
write no file. `--measure` converts the networks that have no record yet, and lets
TensorFlow Lite Micro allocate their memory; it needs the extra `micro`.

Sources: pages of the boards; MLPerf Tiny v1.2 and v1.3; ncnn's list of latencies.
Time: seconds, from records; with --measure about ten minutes on 2 CPU cores.
"""

import dataclasses
import functools
import statistics
from pathlib import Path

from absl import flags

import mobilenet_tf
from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published import latencies
from experiments.report import arena_savings, arenas, drawing
from experiments.report import microcontrollers as report
from experiments.report.arenas import Footprint
from experiments.report.drawing import Figure
from experiments.report.sheet import Sheet
from experiments.trials import records
from experiments.trials.binding import bound_arguments, digest, function_name
from experiments.trials.trial import CONFIG
from mobilenet_tf.analysis import table

_ROOM = (
    f"A network fits where {report.PROGRAM_SRAM // 2**10} KiB of SRAM and "
    f"{report.PROGRAM_FLASH // 2**10} KiB of flash are left to the program."
)

flags.DEFINE_string("board", None, "Print the most accurate network for this board.")
flags.DEFINE_string("sram", None, "The RAM of a chip to print it for, as in 256k.")
flags.DEFINE_string("flash", None, "The flash memory of that chip, as in 1m.")


@dataclasses.dataclass(frozen=True)
class MicrocontrollerConfig(Config):
    """The configuration with the flags of this script."""

    board: str | None = None
    sram: str | None = None
    flash: str | None = None


def memory(config: MicrocontrollerConfig) -> tuple[int, int] | None:
    """SRAM and flash of the chip that the flags name, in bytes; None without any.

    Raises:
        ValueError: The flags do not name one chip.
    """
    if config.board is not None:
        if config.sram is not None or config.flash is not None:
            raise ValueError("choose either board= or sram= and flash=")
        board = report.board_named(config.board)
        return board.sram_bytes, board.flash_bytes
    if (config.sram is None) != (config.flash is None):
        raise ValueError("sram and flash must be given together")
    if config.sram is None or config.flash is None:
        return None
    return (
        report.parse_bytes("sram", config.sram),
        report.parse_bytes("flash", config.flash),
    )


def accuracies(results: Path) -> dict[tuple[float, int], tuple[float, str]]:
    """Mean top-1 over seeds and its recipe, by alpha and side: of the best recipe.

    Networks trained by labels alone from random weights, with nothing removed and all
    blocks as published. Pre-trained ImageNet weights have seen most of these images.
    """
    defaults = bound_arguments(mobilenet_tf.build, {})
    measured: dict[tuple[float, int, str, str], list[float]] = {}
    for record in records.read(results / "imagenette112.jsonl"):
        network = record["network"]
        given = network["arguments"]
        changed = {name for name in given if given[name] != defaults.get(name)}
        plain = changed <= {"alpha", "rho"} and len(network) == 2
        if network["builder"] == function_name(mobilenet_tf.build) and plain:
            # Seeds are what differs in nothing else.
            config = {name: record[name] for name in CONFIG if name != "seed"}
            recipe = record["recipe"]["name"]
            key = (given["alpha"], record["cost"]["side"], recipe, digest(config))
            measured.setdefault(key, []).append(record["metrics"]["top1"])
    best: dict[tuple[float, int], tuple[float, str]] = {}
    for (alpha, side, recipe, _), values in measured.items():
        seeds = "1 seed" if len(values) == 1 else f"{len(values)} seeds"
        origin = f"recipe {recipe}, {seeds}"
        mean = statistics.fmean(values)
        best[alpha, side] = max(best.get((alpha, side), (0.0, "")), (mean, origin))
    return best


def ranked(
    footprints: list[Footprint], results: Path, sram: int, flash: int
) -> list[tuple[float, str, Footprint]]:
    """Networks of the records that fit, the most accurate first."""
    measured = accuracies(results)
    fitting = [
        (*measured[footprint.size, footprint.side], footprint)
        for footprint in footprints
        if footprint.network == "MobileNet"
        and footprint.classes == arenas.CLASSES
        and (footprint.size, footprint.side) in measured
        and report.fits(footprint, sram, flash)
    ]
    return sorted(fitting, key=lambda entry: -entry[0])


def recommendation(config: MicrocontrollerConfig) -> list[Part]:
    """The most accurate network that fits the chip of the flags, and those that follow.

    Empty without a chip.
    """
    chip = memory(config)
    if chip is None:
        return []
    sram, flash = chip
    _measure(config)
    results = Path(config.results)
    footprints = arenas.read(results)
    fitting = ranked(footprints, results, sram, flash)
    board = report.board_named(config.board).name if config.board else "this chip"
    if not fitting:
        return [f"No network of the records fits {board}. {_ROOM}"]
    rows = [
        (
            footprint.label,
            table.percent(top1),
            f"{footprint.arena_bytes:,}",
            f"{footprint.flash_bytes:,}",
            table.millions(footprint.mult_adds),
            origin,
        )
        for top1, origin, footprint in fitting[:5]
    ]
    columns = ("Network", "Top-1 %", "Arena bytes", "Flash bytes", "M mult-adds")
    best = fitting[0][2]
    return [
        f"Most accurate on {board} ({sram:,} bytes of SRAM, {flash:,} of flash): "
        f"{best.label}",
        Sheet((*columns, "Trained on Imagenette with"), rows),
        *report.estimated_latencies(board, best, _wake_words(footprints)),
        _ROOM,
    ]


def _measure(config):
    """Measure what has no record yet, if the flags ask for it."""
    if config.measure:
        arenas.measure_all(config.results)
        arena_savings.measure_all(config.results)


def _wake_words(footprints):
    """The network of visual wake words: the one with two classes."""
    (footprint,) = (other for other in footprints if other.classes == 2)
    return footprint


def content(config: MicrocontrollerConfig) -> list[Part]:
    """All tables."""
    _measure(config)
    footprints = arenas.read(config.results)
    general = [other for other in footprints if other.classes == arenas.CLASSES]
    return [
        f"Flash and arena for {arenas.CLASSES} classes:",
        report.needs(general),
        "What each way to a smaller arena saves, on top of those above it:",
        arena_savings.savings(config.results),
        "The largest side that fits, in pixels:",
        report.largest(general),
        "MLPerf Tiny, visual wake words: MobileNet 0.25 at 96 px with two classes.",
        *report.visual_wake_words(_wake_words(footprints)),
        f"Phones and other boards, as published by {latencies.SOURCE}:",
        report.phones(),
        "Sources of the boards' figures:",
        report.sources(),
    ]


def accuracy_over_arena(config: MicrocontrollerConfig, path: Path) -> list[Figure]:
    """The records' networks over their arena, as `{path}-arena.png` and `.svg`."""
    results = Path(config.results)
    points = [
        drawing.Point(
            f"alpha {footprint.size:g}",
            footprint.arena_bytes / 2**10,
            100 * top1,
        )
        for top1, _, footprint in ranked(arenas.read(results), results, 2**40, 2**40)
    ]
    panel = drawing.Panel(
        points, "Imagenette, best recipe of the records", "arena, KiB", "top-1, %"
    )
    shows = "Top-1 accuracy over the arena, in KiB, of the MobileNets of the records"
    draw = functools.partial(drawing.draw_panel, panel=panel, styles=drawing.ALPHAS)
    return [drawing.save(f"{path}-arena", [draw], shows)]


experiment = Table(
    name="microcontrollers",
    title="Microcontrollers: memory of the networks, and what fits which board",
    content=content,
    answer=recommendation,
    config=MicrocontrollerConfig,
    figures=(accuracy_over_arena,),
    remark=f"""\
- Arena: allocated by TensorFlow Lite Micro with its reference kernels on a 64-bit
  machine, to the byte. On a 32-bit chip its tables of pointers are smaller; optimized
  kernels may allocate some memory more.
- Converted: TensorFlow's converter alone. The interpreter places activations by size,
  which leaves gaps. Planned: the file says where each activation lies; no gaps. Wide
  layers in parts: a convolution and the depthwise convolution or pooling behind it run
  for some channels at a time, so that only a part of the largest activation exists.
  Outputs are the same integers in all three.
- SqueezeNet's parts end at its first pooling. What is largest behind it is a fire
  module's concatenation: both branches and what they are joined to are alive at once,
  twice the module's output. The interpreter has no tensor that is some channels of
  another one, into which a branch could be written, and what follows, a convolution of
  all channels, cannot be split by them without other integers.
- What each step saves: folding removes the operators that convert uint8 images to int8
  and compute shapes. Reshaping in place saves only where what is reshaped is alive
  where memory is scarce. Softmax is one small operator behind the largest activations:
  to leave it out saves its tables alone.
- Persistent: the part of the arena that operators keep between runs.
- The estimate is counted from the Keras graph, layer by layer, and compared with the
  planned arena, which also runs layer by layer. Its error is the size of the
  interpreter's tables, which are counted per operator and tensor here, and by what
  the kernels of pooling and softmax keep.
- {_ROOM}
- MLPerf Tiny's latencies and energies are as submitted, each with its own inference
  engine. The estimate for ResNet-8 is the latency of visual wake words times the
  ratio of mult-adds; what the same submission measured shows how far such an estimate
  can be trusted: for a network of full convolutions it is off by a factor of two and
  more where the engine or the core has fast kernels for them.""",
)

if __name__ == "__main__":
    run(experiment)
