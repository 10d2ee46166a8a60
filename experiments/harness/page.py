"""A rendered table with its figures: printed, and written to files and documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from experiments.harness.config import Config
from experiments.report import document
from experiments.trials import records


@dataclasses.dataclass(frozen=True)
class Page:
    """The output of a script.

    Args:
        name: Name of its file, and of its block in a document.
        title: The table's title.
        text: The table as Markdown.
        expected: What a repetition should find, as Markdown; empty without records.
        claims: A sentence for each claim, as it also stands in the text.
        figures: Files that have been drawn.
    """

    name: str
    title: str
    text: str
    expected: str = ""
    claims: Sequence[str] = ()
    figures: Sequence[Path] = ()

    def write(self, config: Config) -> Path:
        """Write the table to its file and into the documents; returns the file."""
        path = config.tables_folder / f"{self.name}.md"
        records.write_text(path, self.text + "\n")
        for file in config.documents:
            blocks = {self.name: self.text, f"{self.name}-expected": self.expected}
            document.replace_blocks(Path(file), blocks)
        return path


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
        print(f"\n{page.text}\n")
        written += [page.write(config), *page.figures]
    if len(pages) > 1:  # a single table ends with its claims anyway
        for sentence in (sentence for page in pages for sentence in page.claims):
            print(sentence)
        print()
    written += config.documents
    for path in written:
        print(f"written: {path}")
    if any(page.expected for page in pages):
        print(f"records: {Path(config.workdir) / 'records'}")


def joined(*parts: str) -> str:
    """Paragraphs with a blank line in between; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)
