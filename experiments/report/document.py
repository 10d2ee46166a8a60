"""Rendered blocks in a Markdown document, between two comments that name them."""

import re
from pathlib import Path

from mobilenet_tf import files


def block(text: str, name: str) -> str:
    """The text between the marks of a block.

    Raises:
        ValueError: The document has no such block.
    """
    match = _pattern(name).search(text)
    if match is None:
        raise ValueError(
            f"the document has no block between <!-- begin {name} --> and "
            f"<!-- end {name} -->"
        )
    return match.group(2).strip("\n")


def replace_blocks(path: Path, blocks: dict[str, str]) -> None:
    """Replace what stands between the marks of blocks, atomically.

    Args:
        path: A document.
        blocks: New content by name; names that the document lacks are left out.
    """
    text = path.read_text()
    for name, content in blocks.items():
        text = _pattern(name).sub(
            lambda match, content=content: (
                f"{match.group(1)}\n\n{content}\n\n{match.group(3)}"
            ),
            text,
        )
    files.write(path, text)


def _pattern(name):
    name = re.escape(name)
    return re.compile(
        f"(<!-- begin {name} -->)(.*?)(<!-- end {name} -->)", flags=re.DOTALL
    )
