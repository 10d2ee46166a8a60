"""The declaration of a script: an `Experiment` that trains, or a `Table` of costs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from experiments.harness.config import Config
from experiments.harness.matching import matching, of_the_same_training
from experiments.harness.page import Page, Part, joined
from experiments.report import comparison, conditions, seed_spread
from experiments.report.claims import Claim, method
from experiments.report.drawing import Figure
from experiments.report.sheet import Sheet, measured
from experiments.trials import records
from experiments.trials.network import Network
from experiments.trials.row import Row
from mobilenet_tf.data.dataset import DataSet

Rows = tuple[Row, ...]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table or figure of a paper that compares trained networks.

    Args:
        name: The script's name; also of its table and figures.
        title: Heading.
        rows: The networks, in the order of the paper; a function of the configuration
            if they depend on it.
        costs: Which costs stand beside the printed ones: "mult_adds", "parameters",
            "size"; none for networks whose costs at ImageNet's size mean nothing.
        metrics: Which accuracies, the main one first: "top1", "top5".
        figures: Called with `(rows, results, path without suffix)` after the table;
            each returns what it has drawn.
        claims: What the paper claims; a function of the rows if they are one.
        analysis: Called with `(rows, results, standard deviation over seeds)`; returns
            what follows the claims, from the records.
        appendix: Returns what follows the table.
        remark: What else a reader should know, as Markdown.
        paper_data: What the paper trained on; None for a table that is only ours.
        body: Called with rows and results instead of `comparison.accuracies`.
        parts: Experiments whose tables show the rows, instead of a table of its own.
        config: The class of its configuration.
    """

    name: str
    title: str
    rows: Rows | Callable[[Config], Rows]
    costs: tuple[str, ...] = comparison.COSTS
    metrics: tuple[str, ...] = ("top1",)
    figures: tuple[Callable[[Rows, Sequence[dict], Path], list[Figure]], ...] = ()
    claims: tuple[Claim, ...] | Callable[[Rows], tuple[Claim, ...]] = ()
    analysis: Callable[[Rows, Sequence[dict], float], Sequence[Sheet]] | None = None
    appendix: Callable[[], Sequence[Part]] | None = None
    remark: str = ""
    paper_data: str | None = "ImageNet"
    body: Callable[[Rows, Sequence[dict]], str] | None = None
    parts: tuple[Experiment, ...] = ()
    config: type[Config] = Config

    def rows_of(self, config: Config) -> Rows:
        """The rows under a configuration."""
        return self.rows(config) if callable(self.rows) else self.rows

    def claims_of(self, rows: Rows) -> tuple[Claim, ...]:
        """The claims about the rows."""
        return self.claims(rows) if callable(self.claims) else self.claims

    def networks(self, config: Config) -> list[Network]:
        """The networks that a run trains.

        Raises:
            ValueError: `only` is no regular expression, or matches no trained row.
        """
        trained = [row.network for row in self.rows_of(config) if row.trained]
        only = config.only or ""
        try:
            chosen = [network for network in trained if re.search(only, network.label)]
        except re.error as error:
            raise ValueError(
                f"only must be a regular expression, got {only!r}: {error}"
            ) from error
        if trained and not chosen:
            labels = ", ".join(network.label for network in trained)
            raise ValueError(f"only must match one of {labels}; got {only!r}")
        return chosen

    def counted(self, config: Config) -> str:
        """The table of costs alone, as Markdown; nothing is trained or read."""
        if self.parts:
            return joined(*(part.counted(config) for part in self.parts))
        rows = self.rows_of(config)
        costs = comparison.costs(rows, self.costs)
        comments = self._comments(rows, self._appendix())
        return joined(f"**{self.title}**", costs, *comments)

    def pages(self, config: Config, data: DataSet | None = None) -> list[Page]:
        """The tables and figures of the records that the configuration describes.

        Args:
            config: Names the data set, the recipe and where the records are.
            data: The data set, if it is loaded.

        Raises:
            ValueError: The records are of several data sets or precisions.
        """
        rows = self.rows_of(config)
        locations = [Path(config.workdir) / "records"]
        if config.render:
            locations.append(Path(config.results))
        networks = {network.key for row in rows for network in row.network.lineage}
        matched = matching(records.read(*locations), config, networks, data)
        results = [record for record in matched if record["network_key"] in networks]
        name = f"{self.name}-{config.slug}"
        drawn: list[Figure] = []
        for figure in self.figures if results else ():
            drawn += figure(rows, results, config.tables_folder / name)
        if self.parts:
            pages = [page for part in self.parts for page in part.pages(config, data)]
            pages[-1] = dataclasses.replace(
                pages[-1], figures=(*pages[-1].figures, *drawn)
            )
            return pages
        several = matched
        # A run of one seed, as of `make reproduce`.
        if not config.render and not seed_spread.of_logits(matched, "top1"):
            committed = records.read(Path(config.results))
            several = of_the_same_training(committed, config, data)
        spread = seed_spread.of_logits(several, self.metrics[0])
        top1_spread = seed_spread.of_logits(several, "top1")
        sentences = [
            claim.sentence(rows, results, self.metrics[0], spread)
            for claim in self.claims_of(rows)
        ]
        appendix = self._appendix()
        if self.analysis and results:
            appendix = [*self.analysis(rows, results, top1_spread), *appendix]
        return [
            Page(
                name,
                self.title,
                config.command(self.name),
                self._render(
                    rows, results, sentences, spread, appendix, several is matched
                ),
                [
                    measured(
                        rows, results, top1_spread, self.metrics, bool(self.costs)
                    ),
                    *(part for part in appendix if isinstance(part, Sheet)),
                ],
                f"{config.dataset}, recipe {config.training_recipe.name}"
                + (f", {config.epochs} epochs" if config.epochs else ""),
                self._summary(rows, results, sentences),
                comparison.expectations(rows, results, top1_spread),
                sentences,
                drawn,
            )
        ]

    def _summary(self, rows, results, sentences):
        table = comparison.summary(rows, results, self.metrics[0], bool(self.costs))
        trained = [conditions.in_short(rows, results)] if results else []
        return joined(f"**{self.title}**", table, " ".join([*trained, *sentences]))

    def _render(self, rows, results, sentences, spread, appendix, own_seeds):
        """The table with the paper's columns and ours, and what follows it."""
        if self.body:
            table = self.body(rows, results)
        else:
            table = comparison.accuracies(rows, results, self.costs, self.metrics)
        bullet = "- " if len(sentences) > 1 else ""
        parts = [
            table,
            "\n".join(bullet + sentence for sentence in sentences),
        ]
        if results:
            origin = conditions.in_full(results, self.paper_data, bool(self.costs))
            if sentences:
                origin += " " + method(results, self.metrics[0], spread, own_seeds)
            parts.append(origin)
        return joined(*parts, *self._comments(rows, appendix))

    def _appendix(self):
        return self.appendix() if self.appendix else []

    def _comments(self, rows, appendix):
        return comparison.notes(rows), *appendix, self.remark


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that needs no training.

    Args:
        name: The script's name; also of its table.
        title: Heading.
        content: Returns the tables and the sentences around them.
        remark: What else a reader should know, as Markdown.
        config: The class of its configuration.
        figures: Called with the configuration and a path without suffix; each returns
            what it has drawn.
        answer: Called with the configuration; what it returns answers a question of its
            flags, and is printed instead of the page. No file is written then.
    """

    name: str
    title: str
    content: Callable[[Any], Sequence[Part]]
    remark: str = ""
    config: type[Config] = Config
    figures: tuple[Callable[[Any, Path], list[Figure]], ...] = ()
    answer: Callable[[Any], Sequence[Part]] | None = None

    def counted(self, config: Config) -> str:
        """The table, as Markdown."""
        return joined(f"**{self.title}**", *self.content(config), self.remark)

    def pages(self, config: Config, data: DataSet | None = None) -> list[Page]:
        """The table as a page; it needs no data set."""
        path = config.tables_folder / self.name
        parts = self.content(config)  # which may measure what the figures show
        drawn = [drawing for draw in self.figures for drawing in draw(config, path)]
        return [
            Page(
                self.name,
                self.title,
                config.command(self.name),
                joined(*parts, self.remark),
                [part for part in parts if isinstance(part, Sheet)],
                figures=drawn,
            )
        ]
