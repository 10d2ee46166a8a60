"""What all benchmarks do with their result: print it, and put it into documents."""

from pathlib import Path

from absl import flags

from mobilenet_tf.reporting import document
from mobilenet_tf.reporting.records import device_name

flags.DEFINE_list(
    "documents", [], "Markdown files whose block `benchmark-NAME` the result replaces."
)


def publish(name: str, text: str) -> None:
    """Print a result, and write it into the documents that have a block for it."""
    text = f"`python -m benchmarks.{name}`, {device_name()}:\n\n{text}"
    print(f"\n{text}", flush=True)
    for path in map(Path, flags.FLAGS.documents):
        document.replace_blocks(path, {f"benchmark-{name}": text})
