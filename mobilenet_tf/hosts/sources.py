"""What tells the code of two checkouts apart."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

from mobilenet_tf import files

_DIGITS = 12


@functools.cache
def digest(folder: Path) -> str:
    """A short hash of the Python files of a package: of their names and contents.

    Args:
        folder: That of the package; what it holds is read once.

    Returns:
        12 hexadecimal digits.
    """
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if not any(part.startswith(".") for part in name.parts):  # an editor's own
            total.update(os.fsencode(f"{files.digest(path)} {name.as_posix()}\n"))
    return total.hexdigest()[:_DIGITS]
