"""What README.md and BUILD.md say is what the records and the programs say."""

import importlib.util
import json
import re
import shutil
import sys

import pytest
from conftest import ROOT

from benchmarks.record import RESULTS, render
from experiments import __main__ as all_tables
from experiments.report.document import block
from experiments.trials.records import recipe_of

DOCUMENTS = ("README.md", "BUILD.md")
PAGES = (*DOCUMENTS, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
RENDERED = (".csv", ".md", ".png", ".svg")
TRAINED = ("imagenette112.jsonl", "tinyimagenet100.jsonl", "vignettes.jsonl")
MEASURED = sorted(RESULTS.glob("*.json"))
RECORDS = [ROOT / "experiments" / "results" / name for name in TRAINED]


def test_tables_equal_the_records(tmp_path, monkeypatch, experiment_flags):
    for document in DOCUMENTS:
        shutil.copy(ROOT / document, tmp_path)
    documents = ",".join(str(tmp_path / document) for document in DOCUMENTS)
    results = ROOT / "experiments" / "results"
    rendered = tmp_path / "rendered"
    command = ["experiments", f"--tables_dir={rendered}", f"--documents={documents}"]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.chdir(ROOT)
    all_tables.main(command[:1])
    for document in DOCUMENTS:
        assert (tmp_path / document).read_text() == (ROOT / document).read_text()
    committed = {file.name for file in results.iterdir() if file.suffix in RENDERED}
    assert {file.name for file in rendered.iterdir()} == committed
    for name in sorted(committed):
        if not name.endswith((".png", ".svg")):
            assert (rendered / name).read_text() == (results / name).read_text()


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_records_say_how_they_came_about(path):
    for line in path.read_text().splitlines():
        record = json.loads(line)
        assert record["dirty"] is False
        assert re.fullmatch("[0-9a-f]{40}", record["commit"])
        assert record["seconds"] > 0
        assert record["device"]
        # A compressed network's own training is that of its last step.
        recipes = [step["recipe"] for step in record["network"].get("steps", ())]
        last = [recipe_of(record), *recipes][-1]
        assert last["epochs"] == len(record["history"])
        assert record["data"]["limit"] is None
        by_chance = 1 / len(record["data"]["class_names"])
        assert 2 * by_chance <= record["metrics"]["top1"] < 1


@pytest.mark.parametrize("document", PAGES)
def test_commands_name_modules_and_flags_that_exist(document):
    text = (ROOT / document).read_text().replace("\\\n", " ")
    commands = re.findall(r"python -m ([\w.]+)([^`\n]*)", text)
    assert commands or document not in DOCUMENTS
    for module, arguments in commands:
        assert importlib.util.find_spec(module), module
        own = ROOT / f"{module.replace('.', '/')}.py"
        if not own.exists():
            own = own.with_suffix("") / "__main__.py"
        source = own.read_text()
        if module.startswith("experiments"):
            source += (ROOT / "experiments/harness/flags.py").read_text()
        for flag in re.findall(r"--(\w+)", arguments):
            assert f'"{flag}"' in source, f"{module} has no flag {flag}"


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_benchmarks_are_what_was_measured(path):
    record = json.loads(path.read_text())
    text = (ROOT / "benchmarks" / "README.md").read_text()
    assert render(record) in block(text, f"benchmark-{record['key']}")


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_images_exist():
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (ROOT / path).is_file(), path
