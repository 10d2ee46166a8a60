"""Prints a benchmark's result, keeps it as a record, and puts it into documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from benchmarks.record import RESULTS, render
from experiments.report import document
from experiments.trials import records
from experiments.trials.provenance import provenance

flags.DEFINE_list(
    "documents",
    [],
    "Markdown files whose block `benchmark-NAME` the result replaces; it is then kept "
    "as a record in benchmarks/results too.",
)


def publish(
    name: str, text: str, documents: Sequence[str], processor: str | None = None
) -> None:
    """Print a result; where documents are given, record it and write it into them.

    Args:
        name: Module of the benchmark.
        text: The result as Markdown.
        documents: As the flag.
        processor: Kind of processor, "AVX2", where there is a record of each kind; the
            documents then show all of them.
    """
    record = {"key": name, "text": text, **provenance()}
    if processor is not None:
        record["processor"] = processor
    print(f"\n{render(record)}", flush=True)
    if not documents:
        return
    kind = "" if processor is None else "_" + processor.lower().replace("-", "")
    records.write(RESULTS / f"{name}{kind}.json", record)
    block = render(record)
    if processor is not None:
        kept = [records.read(path)[0] for path in RESULTS.glob(f"{name}_*.json")]
        kept.sort(key=lambda record: record["processor"])
        block = "\n\n".join(map(render, kept))
    for path in map(Path, documents):
        document.replace_blocks(path, {f"benchmark-{name}": block})
