"""The files of the page: our own, the libraries of npm, and the data, in one folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobilenet_tf import files

SOURCE = Path(__file__).resolve().parents[2] / "explorer"
_PAGE = ("index.html", "style", "icon.svg", "src")
# Scales and axes of numbers do without D3's time and time-format.
_D3 = ("array", "axis", "color", "format", "interpolate", "scale", "selection")
_LITERT = "@litertjs/core"
_WASM_UTILS = "@litertjs/wasm-utils"


def libraries(modules: Path) -> dict[str, Path]:
    """The files of libraries that the page loads: their path in the site, and here.

    Args:
        modules: The folder `node_modules`.

    Raises:
        ValueError: They are not installed.
    """
    found = {
        f"lib/d3-{name}.min.js": modules / f"d3-{name}/dist/d3-{name}.min.js"
        for name in _D3
    }
    found["lib/litert/index.js"] = modules / _LITERT / "dist/index.js"
    found["lib/wasm-utils/index.js"] = modules / _WASM_UTILS / "dist/index.js"
    for file in sorted((modules / _LITERT / "wasm").glob("*")):
        found[f"lib/litert/wasm/{file.name}"] = file
    missing = [path for path in found.values() if not path.is_file()]
    if missing or not any(name.endswith(".wasm") for name in found):
        raise ValueError(
            f"the page's libraries are not installed in {str(modules)!r}; "
            "make explorer installs them, as npm ci does in the folder explorer"
        )
    return found


def write(
    output: Path, contents: Mapping[str, Any], modules: Path = SOURCE / "node_modules"
) -> None:
    """Write the page; it replaces an earlier one only when it is complete.

    Args:
        output: The folder to write. One that exists must be an earlier page, whose
            networks, below `networks/`, are kept.
        contents: JSON files by their name.
        modules: The folder `node_modules`.

    Raises:
        ValueError: The libraries are not installed, or `output` is another folder.
    """
    packages = libraries(modules)
    check_output(output)
    files.make_folder(output.parent)
    with files.scratch_folder(output) as folder:
        partial = folder / "page"
        partial.mkdir()
        for name in _PAGE:
            source = SOURCE / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, partial / name)
        for name, source in packages.items():
            target = partial / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        for name, content in contents.items():
            text = json.dumps(content, separators=(",", ":"))
            (partial / name).write_text(text, encoding="utf-8")
        (partial / "networks").mkdir()
        files.synchronise(partial)  # takes long: before the old page goes
        if output.exists():
            old = folder / "old"
            os.replace(output, old)
            if (old / "networks").is_dir():
                (partial / "networks").rmdir()
                os.replace(old / "networks", partial / "networks")
        files.rename(partial, output)


def check_output(output: Path) -> None:
    """Raise ValueError if a folder exists that is no earlier page."""
    if output.is_file() or (
        output.is_dir() and any(output.iterdir()) and not is_page(output)
    ):
        raise ValueError(
            f"output must be a new folder or that of an earlier page, got "
            f"{str(output)!r}"
        )


def is_page(folder: Path) -> bool:
    """Whether a folder is one that `write` has written."""
    return (folder / "data.json").is_file() and (folder / "src/main.js").is_file()
