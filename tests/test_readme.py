"""What README.md and BUILD.md say is what the records and the programs say."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

DOCUMENTS = ("README.md", "BUILD.md")
RECORDS = sorted((ROOT / "experiments" / "results").glob("*.jsonl"))


def table_commands():
    """The commands of `make tables`, without those that set up the environment."""
    listing = subprocess.run(
        ["make", "-n", "tables", "RUN=python"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.replace("\\\n", " ")
    return [
        line.split()[1:]
        for line in listing.splitlines()
        if line.startswith("python -m experiments.")
    ]


def test_tables_equal_the_records(tmp_path):
    for document in DOCUMENTS:
        shutil.copy(ROOT / document, tmp_path)
    commands = table_commands()
    assert len(commands) >= 4
    for command in commands:
        flags = [
            flag for flag in command if not flag.startswith(("--tables", "--documents"))
        ]
        documents = ",".join(str(tmp_path / document) for document in DOCUMENTS)
        flags += [f"--tables_dir={tmp_path}", f"--documents={documents}"]
        flags += [f"--workdir={tmp_path / 'empty'}"]
        subprocess.run([sys.executable, *flags], cwd=ROOT, check=True)
    for document in DOCUMENTS:
        assert (tmp_path / document).read_text() == (ROOT / document).read_text()
    for file in tmp_path.glob("*-*.md"):
        committed = ROOT / "experiments" / "results" / file.name
        assert file.read_text() == committed.read_text()


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_records_say_how_they_came_about(path):
    for line in path.read_text().splitlines():
        record = json.loads(line)
        assert record["dirty"] is False
        assert re.fullmatch("[0-9a-f]{40}", record["commit"])
        assert record["seconds"] > 0
        assert record["device"]
        assert record["recipe"]["epochs"] == len(record["history"])
        assert record["data"]["limit"] is None
        assert 0 < record["metrics"]["top1"] < 1


def test_there_are_records():
    assert RECORDS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_name_modules_and_flags_that_exist(document):
    text = (ROOT / document).read_text().replace("\\\n", " ")
    commands = re.findall(r"python -m ([\w.]+)([^`\n]*)", text)
    assert commands
    for module, arguments in commands:
        assert importlib.util.find_spec(module), module
        source = (ROOT / "mobilenet_tf/experiment/flags.py").read_text()
        if module.startswith("benchmarks"):
            source = (ROOT / f"{module.replace('.', '/')}.py").read_text()
        for flag in re.findall(r"--(\w+)", arguments):
            assert f'"{flag}"' in source, f"{module} has no flag {flag}"


def test_images_exist():
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (ROOT / path).is_file(), path
