"""What a script declares, an `Experiment` or a `Table`, and the program it becomes."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

from absl import app, logging

from experiments.harness import flags, grid
from experiments.harness.flags import FLAGS
from experiments.harness.matching import matching
from experiments.harness.page import Page, joined
from experiments.harness.workdir import Workdir
from experiments.report import comparison
from experiments.report.claims import Conclusion, spread_over_seeds
from experiments.trials import records
from experiments.trials.network import Row
from experiments.trials.trial import Point
from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table or figure of a paper that compares trained networks.

    Args:
        name: The script's name; also of its table and figures.
        title: Heading.
        rows: The grid, in the order of the paper; a function if it depends on flags.
        costs: Which costs stand beside the printed ones: `comparison.COSTS`.
        metrics: Which accuracies, the main one first: "top1", "top5".
        figures: Called with `(rows, results, path without suffix)` after the table;
            each returns the files it wrote.
        conclusions: What the paper concludes.
        appendix: Called with the rows; what follows the table, as Markdown.
        remark: What else a reader should know, as Markdown.
        paper_data: What the paper trained on; None for a table of ours alone.
        body: Called with rows and results instead of `comparison.accuracies`.
    """

    name: str
    title: str
    rows: tuple[Row, ...] | Callable[[], tuple[Row, ...]]
    costs: tuple[str, ...] = comparison.COSTS
    metrics: tuple[str, ...] = ("top1",)
    figures: tuple[Callable, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    appendix: Callable[[tuple[Row, ...]], str] | None = None
    remark: str = ""
    paper_data: str | None = "ImageNet"
    body: Callable[[tuple[Row, ...], list[dict]], str] | None = None

    def __call__(self) -> None:
        """Run as a program."""
        _run(self.name, self.main)

    def main(self) -> None:
        """What the program does, once the flags are parsed."""
        if FLAGS.dry_run:
            if FLAGS.arrays:
                flags.data()  # writes the file
            rows = self._rows()
            costs = comparison.costs(rows, self.costs)
            print(joined(f"**{self.title}**", costs, *self._comments(rows)))
            return
        workdir, data = Workdir(FLAGS.workdir), None
        Page.check()
        if not FLAGS.render:
            data = self._train(self._rows(), workdir, flags.recipe())
        if not FLAGS.worker_of:
            self.page(data).publish()

    def _rows(self):
        return self.rows() if callable(self.rows) else self.rows

    def _train(self, rows, workdir, recipe):
        networks = flags.chosen(rows)
        data = flags.data()
        points = [
            Point(network, recipe, data.facts, seed, FLAGS.precision)
            for network in networks
            for seed in range(FLAGS.seeds)
        ]
        for network in networks:  # an error here comes before any work
            network.check(data.classes, data.facts["base_resolution"])
        if FLAGS.workers > 1 and not FLAGS.worker_of:
            grid.spawn_workers(FLAGS.workers)
        grid.run(
            points,
            data,
            workdir,
            self.name,
            workers=FLAGS.workers,
            data_parallel=FLAGS.data_parallel,
            report=functools.partial(print, flush=True),
        )
        return data

    def page(self, data: DataSet | None = None) -> Page:
        """The table and figures of the records that the flags describe.

        Args:
            data: The data set, where it is loaded.
        """
        rows, recipe = self._rows(), flags.recipe()
        places = [Path(FLAGS.workdir) / "records"]
        if FLAGS.render:
            places.append(Path(FLAGS.results))
        networks = [one.identity for row in rows for one in row.network.lineage]
        found = matching(records.read(*places), recipe, data)
        results = [record for record in found if record["network"] in networks]
        name = f"{self.name}-{FLAGS.dataset.replace('/', '_')}-{recipe.name}"
        drawn = []
        for figure in self.figures if results else ():
            drawn += figure(rows, results, Page.folder() / name)
        return Page(
            name,
            f"{self.title}; {FLAGS.dataset}, recipe {recipe.name}",
            self.render(rows, results, spread_over_seeds(found, self.metrics[0])),
            comparison.expectations(rows, results, spread_over_seeds(found, "top1")),
            drawn,
        )

    def render(
        self, rows: tuple[Row, ...], results: list[dict], seed_spread: float = 0.0
    ) -> str:
        """The paper's table with the paper's columns and ours, as Markdown."""
        if self.body:
            table = self.body(rows, results)
        else:
            table = comparison.accuracies(rows, results, self.costs, self.metrics)
        sentences = [
            conclusion.sentence(rows, results, self.metrics[0], seed_spread)
            for conclusion in self.conclusions
        ]
        if len(sentences) > 1:
            sentences = [f"- {sentence}" for sentence in sentences]
        parts = [f"**{self.title}**", table, "\n".join(sentences)]
        if results:
            parts.append(comparison.footnote(results, self.paper_data))
        return joined(*parts, *self._comments(rows))

    def _comments(self, rows):
        appendix = self.appendix(rows) if self.appendix else ""
        return comparison.notes(rows), appendix, self.remark


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that needs no training.

    Args:
        name: The script's name; also of its table.
        title: Heading.
        content: Returns the table as Markdown.
        remark: What else a reader should know, as Markdown.
    """

    name: str
    title: str
    content: Callable[[], str]
    remark: str = ""

    def __call__(self) -> None:
        """Run as a program."""
        _run(self.name, self.main)

    def main(self) -> None:
        """What the program does, once the flags are parsed."""
        if FLAGS.dry_run:
            print(self._text())
        else:
            Page.check()
            self.page().publish()

    def page(self) -> Page:
        """The table."""
        return Page(self.name, self.title, self._text())

    def _text(self):
        return joined(f"**{self.title}**", self.content(), self.remark)


def _run(name, main):
    """Parse the flags and call `main`; what is wrong becomes one line."""

    def program(command):
        logging.set_verbosity(logging.WARNING)  # TFDS reports every file it opens
        try:
            arguments.only_flags(command)
            if FLAGS.worker_of:
                grid.end_with(FLAGS.worker_of)
            main()
        except (OSError, ValueError, grid.WorkerError) as error:
            sys.exit(f"{name}: error: {error}")

    flags.define()
    app.run(program)
