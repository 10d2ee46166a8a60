"""Files are short enough to be read in one go."""

import pytest
from conftest import ROOT

MOST_LINES = 250
FOLDERS = ("mobilenet_tf", "experiments", "benchmarks", "tests", "docs", "explorer")
SUFFIXES = (".py", ".js", ".css", ".md")
# What is rendered, and the description of a format.
EXCEPTIONS = ("benchmarks/README.md", "mobilenet_tf/codec/FORMAT.md")
RENDERED = "experiments/results"


def written_by_hand():
    """Every source file and document, by its path in the repository."""
    paths = [*ROOT.iterdir()]
    paths += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in paths:
        name = path.relative_to(ROOT)
        if path.suffix not in SUFFIXES or "node_modules" in name.parts:
            continue
        if not name.is_relative_to(RENDERED):
            yield name.as_posix()


def lines(name):
    return (ROOT / name).read_text(encoding="utf-8").count("\n")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_file_is_long(suffix):
    names = [name for name in written_by_hand() if name.endswith(suffix)]
    assert names
    long = {name for name in names if lines(name) > MOST_LINES}
    assert long - set(EXCEPTIONS) == set()


def test_exceptions_are_needed():
    assert all(lines(name) > MOST_LINES for name in EXCEPTIONS)
