"""The record of a benchmark: where it is kept, and how it reads."""

from pathlib import Path

RESULTS = Path(__file__).with_name("results")


def render(record: dict) -> str:
    """A record as Markdown."""
    device = record["device"]
    if "processor" in record:
        device += f" ({record['processor']})"
    return f"`python -m benchmarks.{record['key']}`, {device}:\n\n{record['text']}"
