"""What all benchmarks do with a result: print it, keep it, put it into documents."""

from pathlib import Path

from absl import flags

from experiments.report import document
from experiments.trials import records

RESULTS = Path(__file__).with_name("results")

flags.DEFINE_list(
    "documents",
    [],
    "Markdown files whose block `benchmark-NAME` the result replaces; it is then kept "
    "as a record in benchmarks/results too.",
)


def publish(name: str, text: str) -> None:
    """Print a result; with --documents, record it and write it into them."""
    record = {"key": name, "text": text, **records.provenance()}
    print(f"\n{render(record)}", flush=True)
    if not flags.FLAGS.documents:
        return
    records.write(RESULTS / f"{name}.json", record)
    for path in map(Path, flags.FLAGS.documents):
        document.replace_blocks(path, {f"benchmark-{name}": render(record)})


def render(record: dict) -> str:
    """A record as Markdown."""
    return (
        f"`python -m benchmarks.{record['key']}`, {record['device']}:\n\n"
        f"{record['text']}"
    )
