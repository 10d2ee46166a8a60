"""Tables of what runs on which microcontroller, how fast, and what others measured."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.published import latencies, tinyml
from experiments.published.boards import BOARDS, KIB, MIB, Board
from experiments.report.arenas import ALPHAS, Footprint
from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import table

# Left to the program: stack, drivers, an image of the camera; code of the interpreter.
PROGRAM_SRAM, PROGRAM_FLASH = 32 * KIB, 128 * KIB


def fits(footprint: Footprint, sram_bytes: int, flash_bytes: int) -> bool:
    """Whether a network leaves enough memory to the program."""
    return (
        footprint.arena_bytes + PROGRAM_SRAM <= sram_bytes
        and footprint.flash_bytes + PROGRAM_FLASH <= flash_bytes
    )


def needs(footprints: Sequence[Footprint]) -> Sheet:
    """Flash and arena of every network: as converted, and as `export.micro` writes."""
    rows = [
        (
            footprint.label,
            table.millions(footprint.mult_adds),
            _kib(footprint.flash_bytes),
            _kib(footprint.plain_bytes),
            _kib(footprint.planned_bytes),
            _kib(footprint.arena_bytes),
            f"{100 * (1 - footprint.arena_bytes / footprint.plain_bytes):.0f}",
            _kib(footprint.persistent_bytes),
            _kib(footprint.estimated_bytes),
            f"{100 * (footprint.estimated_bytes / footprint.planned_bytes - 1):+.1f}",
        )
        for footprint in footprints
    ]
    columns = ("Network", "M mult-adds", "Flash KiB", "Arena KiB, converted")
    ours = (
        *("Arena KiB, planned", "Arena KiB, wide layers in parts", "Arena saved %"),
        *("Persistent KiB", "Estimated KiB", "Estimation error %"),
    )
    return Sheet((*columns, *ours), rows, "needs")


def largest(footprints: Sequence[Footprint]) -> Sheet:
    """For every board the largest side at which each network fits."""
    kinds = [("MobileNet", alpha) for alpha in ALPHAS] + [("SqueezeNet", 1.1)]
    rows = []
    for board in BOARDS:
        sides = []
        for network, size in kinds:
            fitting = [
                footprint.side
                for footprint in footprints
                if (footprint.network, footprint.size) == (network, size)
                and fits(footprint, board.sram_bytes, board.flash_bytes)
            ]
            sides.append(str(max(fitting)) if fitting else "–")
        rows.append((*_described(board), *sides))
    columns = ("Board", "Chip", "Core", "MHz", "SRAM KiB", "Flash KiB")
    names = (f"{size:g} {network}" for network, size in kinds)
    return Sheet((*columns, *names), rows, "largest")


def sources() -> str:
    """Where the figures of the boards stand, as a Markdown list."""
    return "\n".join(f"- {board.name}: {board.source}" for board in BOARDS)


def visual_wake_words(footprint: Footprint) -> tuple[Sheet, Sheet]:
    """The published file beside ours, and what was measured with it.

    Args:
        footprint: Of the network of visual wake words.
    """
    ours = (
        ("File, bytes", f"{tinyml.FILE_BYTES:,}", f"{footprint.flash_bytes:,}"),
        ("Arena, bytes", f"{tinyml.ARENA_BYTES:,}", f"{footprint.arena_bytes:,}"),
        (
            "Activations in the arena, bytes",
            f"{tinyml.ACTIVATION_BYTES:,}",
            f"{footprint.arena_bytes - footprint.persistent_bytes:,}",
        ),
        ("Mult-adds", "–", f"{footprint.mult_adds:,}"),
        ("Target, top-1 %", f"{100 * tinyml.TARGET_TOP1:.0f}", "–"),
    )
    rows = []
    for submission in tinyml.SUBMISSIONS:
        estimate, published, error = _resnet8(submission, footprint)
        rows.append(
            (
                f"v{submission.version} {submission.path}",
                f"{submission.milliseconds:.1f}",
                "–"
                if submission.microjoules is None
                else f"{submission.microjoules:,.0f}",
                f"{footprint.mult_adds / submission.milliseconds / 1e3:.1f}",
                f"{estimate:.1f}",
                "–" if published is None else f"{published:.1f}",
                "–" if error is None else f"{100 * error:+.0f}",
            )
        )
    columns = ("Submission", "ms", "µJ", "M mult-adds/s")
    check = ("estimated, ms", "published, ms", "estimation error %")
    return (
        Sheet(("Visual wake words", "Published", "Ours"), ours, "visual_wake_words"),
        Sheet(
            (*columns, *(f"ResNet-8: {name}" for name in check)), rows, "mlperf_tiny"
        ),
    )


def estimated_latencies(
    board: str, footprint: Footprint, reference: Footprint
) -> list[str]:
    """A network's latency on a board by its mult-adds, a sentence per submission.

    Each says how far the same estimate is off for the submission's ResNet-8, where
    that was submitted too.

    Args:
        board: Its name.
        footprint: The network.
        reference: The network of visual wake words, which was submitted.
    """
    ratio = footprint.mult_adds / reference.mult_adds
    sentences = []
    for submission in tinyml.SUBMISSIONS:
        if submission.board != board:
            continue
        _, _, error = _resnet8(submission, reference)
        check = "" if error is None else f" Its error for ResNet-8 is {error:+.0%}."
        sentences.append(
            f"Estimate by mult-adds: {ratio * submission.milliseconds:.0f} ms, from "
            f"{submission.milliseconds:.1f} ms for {reference.label} (MLPerf Tiny "
            f"v{submission.version}, {submission.path}).{check}"
        )
    return sentences


def _resnet8(
    submission: tinyml.Submission, reference: Footprint
) -> tuple[float, float | None, float | None]:
    """ResNet-8's latency by its mult-adds, the submitted one, and the relative error.

    Args:
        submission: Of MLPerf Tiny; it measured the reference.
        reference: The network of visual wake words.
    """
    scale = tinyml.RESNET8_MULT_ADDS / reference.mult_adds
    estimate = submission.milliseconds * scale
    if submission.image_classification is None:
        return estimate, None, None
    published = 1000 / submission.image_classification
    return estimate, published, estimate / published - 1


def phones() -> Sheet:
    """Latencies on phones and boards that others published."""
    rows = [
        (
            latency.device,
            latency.unit,
            str(latency.threads),
            _number(latency.mobilenet),
            _number(latency.mobilenet_int8),
            _number(latency.squeezenet),
            _number(latency.squeezenet_int8),
        )
        for latency in latencies.LATENCIES
    ]
    columns = (
        *("Device", "On", "Threads"),
        *("1.0 MobileNet-224 ms", "1.0 MobileNet-224 int8 ms"),
    )
    return Sheet(
        (*columns, "SqueezeNet 1.1 ms", "SqueezeNet 1.1 int8 ms"), rows, "phones"
    )


def parse_bytes(name: str, text: str) -> int:
    """Bytes of a size such as "256k", "1m" or "262144".

    Raises:
        ValueError: It is none.
    """
    unit = {"k": KIB, "m": MIB}.get(text[-1:].lower(), 1)
    digits = text if unit == 1 else text[:-1]
    try:
        count = float(digits)
    except ValueError:
        count = 0.0
    if not 0 < count < 2**40:
        raise ValueError(f"{name} must be a size such as 256k or 1m, got {text!r}")
    return int(count * unit)


def board_named(name: str) -> Board:
    """The board of a name, in any case.

    Raises:
        ValueError: There is no such board.
    """
    for board in BOARDS:
        if name.lower() == board.name.lower():
            return board
    names = ", ".join(board.name for board in BOARDS)
    raise ValueError(f"board must be one of {names}; got {name!r}")


def _described(board):
    memory = (_kib(board.sram_bytes), _kib(board.flash_bytes))
    return board.name, board.chip, board.core, str(board.megahertz), *memory


def _kib(count):
    return f"{count / KIB:,.0f}"


def _number(value):
    return "–" if value is None else f"{value:.1f}"
