"""Progress of drawing the embedded data set, which takes a while in the first run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from experiments.harness import display
from experiments.harness.config import Config
from mobilenet_tf.data.rendering import EMBEDDED


@contextlib.contextmanager
def shown(config: Config) -> Iterator[None]:
    """Show the drawing of the embedded data set while the block loads the data.

    A terminal gets a bar, other outputs a line for every quarter. TFDS shows the
    progress of other data sets itself.

    Args:
        config: Names the data set.
    """
    read_from_file = config.arrays is not None and Path(config.arrays).exists()
    if config.dataset.partition(":")[0] != EMBEDDED or read_from_file:
        yield
        return
    from mobilenet_tf.data.embedded import progress_reported

    console = display.terminal()
    from rich.progress import Progress

    bars = Progress(console=console, disable=not console.is_terminal)
    tasks = {}

    def report(split, drawn, total):
        if console.is_terminal:
            if split not in tasks:
                tasks[split] = bars.add_task(f"drawing {split} images", total=total)
            bars.update(tasks[split], completed=drawn)
        elif drawn * 4 // total > (drawn - 1) * 4 // total:
            print(f"drawing {split} images: {drawn} of {total}", flush=True)

    with progress_reported(report), bars:
        yield
