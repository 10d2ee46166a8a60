"""How the networks of a table were trained, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.trials.records import recipe_of
from experiments.trials.row import Row, values


def in_short(rows: Sequence[Row], results: Sequence[dict]) -> str:
    """What was trained on, how, and how often, in a sentence."""
    first = results[0]
    counts = sorted({len(values(row, results)) for row in rows} - {0})
    several = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else counts[0]
    seeds = "one seed" if counts == [1] else f"{several} seeds"
    return (
        f"Trained on {_images(first['data'])} for {_epochs(results)} epochs, "
        f"{seeds} of each network."
    )


def _images(data):
    stored = ""
    if data["side"] < data["base_resolution"]:
        stored = f", scaled up from {data['side']} px"
    return f"{data['name']} at {data['base_resolution']} px{stored},"


def in_full(
    results: Sequence[dict],
    paper_data: str | None = "ImageNet",
    counted: bool = True,
) -> str:
    """The provenance of the numbers, in a sentence or two.

    Args:
        results: The table's records, at least one.
        paper_data: What the paper trained on; None for a table that is only ours.
        counted: Whether the table shows costs.
    """
    paper = f"Paper: {paper_data}. Ours: " if paper_data else "Data: "
    exact = "Exact: counted" if paper_data else "Costs are counted"
    costs = f" {exact} at the paper's resolution and number of classes."
    first = results[0]
    data, recipe = first["data"], first["recipe"]
    commits = sorted({(record["commit"] or "unknown")[:7] for record in results})
    devices = sorted({record["device"] for record in results})
    minutes = sum(record["seconds"] for record in results) / 60
    images = f"{data['evaluation_size']:,} images"
    if data["side"] < data["base_resolution"]:
        images += (
            f" of {data['side']} px, scaled up to {data['base_resolution']} px at rho 1"
        )
    return (
        f"{paper}{data['name']} {data['version']}, "
        f"{data['evaluation_split']} split ({images}, "
        f"{len(data['class_names'])} classes), recipe `{recipe['name']}`, "
        f"{_epochs(results)} epochs, {first['precision']}; mean and sample standard "
        f"deviation over the seeds.{costs if counted else ''} Trained on "
        f"{', '.join(devices)} in {minutes:.0f} minutes in all, "
        f"commit {', '.join(commits)}."
    )


def _epochs(results):
    """How many, where each network may have its own number."""
    numbers = {recipe_of(record)["epochs"] for record in results}
    fewest, most = min(numbers), max(numbers)
    return str(most) if fewest == most else f"{fewest} to {most}"
