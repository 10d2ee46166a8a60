"""Hooks of MkDocs: pages from all over the repository, and notebooks as pages.

A page of the site is known by the path of its file in the repository, so that a link
from one document to another is right on the site and in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    *("*.md", "docs/*.md", "docs/reference/*.md", "benchmarks/README.md"),
    *("experiments/results/*.md", "mobilenet_tf/codec/FORMAT.md"),
    # Linked or shown by them.
    *("CITATION.cff", "LICENSE", "docs/site.css", "docs/notebooks/*.py"),
    *("experiments/results/*.png", "experiments/results/*.csv"),
)
# Folders of the repository that addresses on the site do without.
_SHORTENED = ("docs/", "experiments/")
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?:https?:)?//[^>]*"""
    r"""|<link[^>]*\srel=["']?(?:stylesheet|icon|preload|preconnect)[^>]*//[^>]*"""
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take the files of `SOURCES`, and notebooks, instead of a folder of documents."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            _add(files, File(name, str(ROOT), config.site_dir, True))
    for path in sorted(ROOT.glob("docs/notebooks/*.py")):
        notebook = jupytext.read(path)
        for kind in ("md", "ipynb"):
            name = path.relative_to(ROOT).with_suffix(f".{kind}").as_posix()
            content = jupytext.writes(notebook, kind)
            _add(files, File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Widen pages of results; link notebooks to their pages, and those to downloads."""
    if page.file.src_uri.startswith("experiments/results/"):
        page.meta["hide"] = ["navigation", "toc"]
    if page.file.src_uri.startswith("docs/notebooks/"):
        name = Path(page.file.src_uri).with_suffix(".ipynb").name
        markdown += f"\n\n[Download as a Jupyter notebook]({name})\n"
    return re.sub(r"(\(\S*notebooks/\w+)\.py\)", r"\1.md)", markdown)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Raise PluginError where a page would load something from another server."""
    if match := _LOADED.search(output):
        raise PluginError(f"{page} loads from elsewhere: {match[0]}")
    return output


def _add(files: Files, file: File) -> None:
    for folder in _SHORTENED:
        file.dest_uri = file.dest_uri.removeprefix(folder)
    files.append(file)
