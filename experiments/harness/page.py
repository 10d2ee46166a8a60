"""A rendered table: printed, and written as a page, as CSV and into documents."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from pathlib import Path

from experiments.harness.config import Config
from experiments.report import document
from experiments.report.drawing import Figure
from experiments.report.sheet import Sheet
from mobilenet_tf import files

Part = str | Sheet  # of the text of a page


@dataclasses.dataclass(frozen=True)
class Page:
    """The output of a script.

    Args:
        name: Name of its file, and of its block in a document.
        title: The table's title.
        command: The command line that makes it.
        text: The table as Markdown, with what follows it.
        sheets: Its tables, for the CSV files.
        setting: Data set and recipe, for a table of trained networks.
        summary: The table in a few columns, as Markdown; empty for other tables.
        expected: What a repetition should find, as Markdown; empty without records.
        claims: A sentence for each claim, as it also stands in the text.
        figures: What has been drawn.
    """

    name: str
    title: str
    command: str
    text: str
    sheets: Sequence[Sheet]
    setting: str = ""
    summary: str = ""
    expected: str = ""
    claims: Sequence[str] = ()
    figures: Sequence[Figure] = ()

    @property
    def heading(self) -> str:
        """Title and setting."""
        return f"{self.title}; {self.setting}" if self.setting else self.title

    @property
    def block(self) -> str:
        """What is printed, and stands in the block of a document."""
        return joined(f"**{self.title}**", self.text)

    def csv_files(self) -> dict[str, str]:
        """Contents of the CSV files by name."""
        return {
            f"{'-'.join(filter(None, (self.name, sheet.name)))}.csv": sheet.csv()
            for sheet in self.sheets
        }

    def markdown(self) -> str:
        """The page: command, table, figures, what a repetition should find, CSV."""
        links = ", ".join(f"[{name}]({name})" for name in self.csv_files())
        return joined(
            f"# {self.heading}",
            f"```\n{_wrapped(self.command)}\n```",
            self.text,
            *(
                f"[![{figure.shows}]({figure.png.name})]({figure.svg.name})"
                for figure in self.figures
            ),
            self.expected and f"A repetition should find:\n\n{self.expected}",
            f"As CSV: {links}",
        )

    def write(self, config: Config) -> list[Path]:
        """Write page, CSV files and blocks of the documents.

        Returns:
            The files, the page first.
        """
        contents = {f"{self.name}.md": self.markdown() + "\n", **self.csv_files()}
        paths = [config.tables_folder / name for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            files.write(path, content)
        for file in config.documents:
            blocks = {
                self.name: self.block,
                f"{self.name}-summary": self.summary,
                f"{self.name}-expected": self.expected,
            }
            document.replace_blocks(Path(file), blocks)
        return paths


def check_output(config: Config) -> None:
    """Raise ValueError, before any work, if a page cannot be written."""
    try:
        config.tables_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            "tables_dir must be a directory that can be written, got "
            f"{str(config.tables_folder)!r} ({error.strerror})"
        ) from error
    for file in config.documents:
        if not Path(file).is_file():
            raise ValueError(f"documents must be existing files, got {file!r}")


def publish(pages: Sequence[Page], config: Config) -> None:
    """Print tables, then their claims, then where everything is; write the files.

    Args:
        pages: In the order in which they are shown.
        config: Where they are written, and where the records are.
    """
    written: list[Path | str] = []
    for page in pages:
        print(f"\n{page.block}\n")
        written += page.write(config)
        written += [
            path for figure in page.figures for path in (figure.png, figure.svg)
        ]
    if len(pages) > 1:  # a single table ends with its claims anyway
        for sentence in (sentence for page in pages for sentence in page.claims):
            print(sentence)
        print()
    written += config.documents
    for path in written:
        print(f"written: {path}")
    if any(page.expected for page in pages):
        print(f"records: {Path(config.workdir) / 'records'}")


def _wrapped(command):
    """A command in lines that fit a page."""
    lines = textwrap.wrap(command, 78, break_long_words=False, break_on_hyphens=False)
    return " \\\n    ".join(lines)


def joined(*parts: Part) -> str:
    """Parts as Markdown with a blank line in between; empty ones are left out."""
    return "\n\n".join(filter(None, map(str, parts)))
