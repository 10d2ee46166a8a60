"""The code of docs/quick_start.md runs, and the commands in it and in README exist."""

import re
import warnings

import flowers
import pytest
from conftest import ROOT

from mobilenet_tf.cli import program
from mobilenet_tf.training import RECIPES, recipes

QUICK_START = ROOT / "docs" / "quick_start.md"


def commands(document):
    """The arguments of each `mobilenet_tf` command in a document."""
    fenced = re.findall(
        r"^```(\w*)\n(.*?)^```$", document.read_text(), re.DOTALL | re.MULTILINE
    )
    text = "\n".join(content for language, content in fenced if not language)
    lines = text.replace("\\\n", " ").splitlines()
    return [line.split()[1:] for line in lines if line.startswith("mobilenet_tf ")]


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", QUICK_START], ids=lambda path: path.stem
)
def test_commands_are_legal(document):
    found = commands(document)
    assert len(found) >= 2
    for arguments in found:
        program.parser().parse_args(arguments)


def test_code_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("ai_edge_litert")
    flowers.photographs(tmp_path)
    flowers.published_weights(tmp_path / "keras", 0.25, 128)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.chdir(tmp_path)
    short = recipes.named("fine_tune", epochs=2)
    monkeypatch.setitem(RECIPES, "fine_tune", short)
    blocks = re.findall(r"```python\n(.*?)```", QUICK_START.read_text(), re.DOTALL)
    assert len(blocks) == 6
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* keeps its initial weights")
        exec("\n".join(blocks), {})
    printed = capsys.readouterr().out
    assert "2 ('rose', 'tulip')" in printed
    assert "epoch 2/2" in printed
    assert "| true class" in printed
    assert "litert int8 verified on 2 images" in printed
    for name in ("run/model.keras", "confusion_matrix.png", "photos.tflite"):
        assert (tmp_path / name).is_file()
