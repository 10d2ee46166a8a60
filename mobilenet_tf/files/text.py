"""Text files whose errors name them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a text file, such as names of classes.

    Raises:
        ValueError: It is no text in UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is no text in UTF-8: {error}") from error


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ValueError: It holds something else.
    """
    try:
        values = json.loads(Path(path).read_bytes())
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{str(path)!r} is damaged: it holds no JSON object")
    return values
