"""`Experiment`: what a script declares, and the program that it becomes."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

from absl import app, logging

from mobilenet_tf.experiment import flags, grid
from mobilenet_tf.experiment.flags import FLAGS
from mobilenet_tf.experiment.point import Point, Workdir
from mobilenet_tf.reporting import comparison, document, records
from mobilenet_tf.reporting.rows import Row


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table or figure of a paper.

    Args:
        name: The script's name; also of its table and figures.
        title: Heading.
        rows: The grid, in the order of the paper.
        figures: Called with `(rows, results, path without suffix)` after the table;
            each returns the files it wrote.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    figures: tuple[Callable, ...] = ()

    def __call__(self) -> None:
        """Run as a program."""
        flags.define()
        app.run(lambda _: self._main())

    def _main(self):
        logging.set_verbosity(logging.WARNING)  # TFDS reports every file it opens
        try:
            workdir = Workdir(FLAGS.workdir)
            recipe = flags.recipe()
            if FLAGS.dry_run:
                print(f"{self.title}\n\n{comparison.costs(self.rows)}")
                return
            if not FLAGS.render:
                self._train(workdir, recipe)
            if not FLAGS.worker_of:
                self._show(workdir, recipe)
        except (ValueError, grid.WorkerError) as error:
            sys.exit(f"{self.name}: error: {error}")

    def _train(self, workdir, recipe):
        data = flags.data()
        points = [
            Point(row.network, recipe, data.facts, seed, FLAGS.precision)
            for row in self.rows
            for seed in range(FLAGS.seeds)
        ]
        for row in self.rows:  # a network that cannot be built is an error before work
            row.network.costs(data.classes, data.facts["base_resolution"])
        if FLAGS.workers > 1 and not FLAGS.worker_of:
            grid.spawn_workers(FLAGS.workers)
        grid.run(
            points,
            data,
            workdir,
            self.name,
            workers=FLAGS.workers,
            data_parallel=FLAGS.data_parallel,
            report=_report,
        )

    def _show(self, workdir, recipe):
        places = [workdir.path / "records"]
        if FLAGS.render:
            places.append(Path(FLAGS.results))
        results = flags.matching(records.read(*places), recipe)
        text = self.render(results)
        folder = Path(FLAGS.tables_dir or workdir.path / "tables")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.name}-{FLAGS.dataset.replace('/', '_')}-{recipe.name}"
        written = [folder / f"{name}.md"]
        records.write_text(written[0], text + "\n")
        for figure in self.figures:
            written += figure(self.rows, results, folder / name)
        blocks = {
            name: text,
            f"{name}-expected": comparison.expectations(self.rows, results),
        }
        for path in map(Path, FLAGS.documents):
            document.replace_blocks(path, blocks)
            written.append(path)
        print(f"\n{text}\n")
        for path in written:
            print(f"written: {path}")

    def render(self, results: list[dict]) -> str:
        """The paper's table with the paper's columns and ours, as Markdown."""
        parts = [f"**{self.title}**", comparison.accuracies(self.rows, results)]
        networks = [row.network.identity for row in self.rows]
        shown = [record for record in results if record["network"] in networks]
        if shown:
            parts.append(comparison.footnote(shown))
        return "\n\n".join(parts)


def _report(line):
    print(line, flush=True)
    if FLAGS.worker_of and os.getppid() != FLAGS.worker_of:
        sys.exit("the program that started this worker is gone")
