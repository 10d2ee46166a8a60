"""A rendered table with its figures: printed, and written where the flags say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from experiments.harness.flags import FLAGS
from experiments.report import document
from experiments.trials import records


@dataclasses.dataclass(frozen=True)
class Page:
    """What a script shows.

    Args:
        name: Name of its file, and of its block in a document.
        title: The table's title.
        text: The table as Markdown.
        expected: What a repetition should find, as Markdown; nothing without records.
        figures: Files that have been drawn.
    """

    name: str
    title: str
    text: str
    expected: str = ""
    figures: Sequence[Path] = ()

    @staticmethod
    def check() -> None:
        """Raise what writing would, before any work: OSError or ValueError."""
        Page.folder()
        for file in FLAGS.documents:
            if not Path(file).is_file():
                raise ValueError(f"documents must be existing files, got {file!r}")

    @staticmethod
    def folder() -> Path:
        """Where tables and figures go."""
        folder = Path(FLAGS.tables_dir or Path(FLAGS.workdir) / "tables")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def publish(self) -> None:
        """Print the table, and write it to its file and into the documents."""
        print(f"\n{self.text}\n")
        for file in (self.write(), *self.figures, *FLAGS.documents):
            print(f"written: {file}")

    def write(self) -> Path:
        """Write the table to its file and into the documents."""
        path = self.folder() / f"{self.name}.md"
        records.write_text(path, self.text + "\n")
        for file in FLAGS.documents:
            blocks = {self.name: self.text, f"{self.name}-expected": self.expected}
            document.replace_blocks(Path(file), blocks)
        return path


def joined(*parts: str) -> str:
    """Paragraphs with a blank line in between; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)
