"""The code of the documents runs, and the commands in them exist."""

import dataclasses
import functools
import re
import warnings

import compressible
import flowers
import keras
import pytest
from conftest import ROOT

import mobilenet_tf
from mobilenet_tf import compression, data, export, training, update
from mobilenet_tf.cli import program
from mobilenet_tf.compression import reports, updates
from mobilenet_tf.models import imagenet
from mobilenet_tf.models.mobilenet import BLOCKS
from mobilenet_tf.training import RECIPES, loop, run_folder

DOCS = ROOT / "docs"
NOTEBOOK = DOCS / "notebooks" / "photographs_to_litert.py"
RUN_HERE = {"quick_start", "fine_tune", "compress", "export", "reproduce"}
RUN_ELSEWHERE = {
    "microcontrollers": "test_micro_networks.py",
    "updating_a_fleet": "test_update_publish.py",
    "weights_and_sharing": "test_hub.py",
}
COMMANDS = (
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in sorted({*RUN_HERE, "updating_a_fleet"})),
)


def fenced(document, language):
    """The fenced blocks of a language in a document."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for kind, content in blocks if kind == language]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with photographs; recipes are short."""
    flowers.photographs(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("fine_tune", "compress", "short"):
        short = dataclasses.replace(RECIPES[name], epochs=1, batch_size=8)
        monkeypatch.setitem(RECIPES, name, short)
    return tmp_path


@pytest.fixture
def small_networks(monkeypatch):
    """Networks of one block from `mobilenet_tf`, of two layers from Keras.

    Of given weights: int8 must agree on two images, which it may not for others.
    """
    keras.utils.set_random_seed(0)
    small = functools.partial(mobilenet_tf.build, blocks=BLOCKS[:1])
    monkeypatch.setattr(mobilenet_tf, "build", small)

    def body(shape, alpha, **more):
        convolution = keras.layers.Conv2D(8, 3, 4, activation="relu")
        pooling = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input(shape), convolution, pooling])

    monkeypatch.setattr(keras.applications, "MobileNet", body)


@pytest.fixture
def trained_run(folder):
    """A network in `run/model.keras` that knows its training photographs."""
    photographs = data.from_folder("photos", 0.2, base_resolution=32)
    model = compressible.mobilenet(BLOCKS[:1])
    run_folder.note_training(model, photographs)
    (folder / "run").mkdir()
    run_folder.save(model, "run")


def run(page, changes=()):
    """Run the code of a page, with strings that occur in it replaced."""
    code = "\n".join(fenced(DOCS / f"{page}.md", "python"))
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    names = {}
    exec(compile(code, page, "exec"), names)
    return names


def test_quick_start(folder, small_networks, monkeypatch, capsys):
    pytest.importorskip("ai_edge_litert")
    published = folder / "published.weights.h5"
    mobilenet_tf.build(0.25, 4 / 7, include_top=False).save_weights(published)
    monkeypatch.setattr(imagenet, "weights_file", lambda *_, **__: published)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* keeps its initial weights")
        run("quick_start")
    printed = capsys.readouterr().out
    assert "2 ('rose', 'tulip')" in printed
    assert "epoch 1/1" in printed
    assert "| true class" in printed
    assert "litert int8 verified on 2 images" in printed
    for name in ("run/model.keras", "confusion_matrix.png", "photos.tflite"):
        assert (folder / name).is_file()


def test_fine_tune(folder, small_networks):
    names = run("fine_tune", [("epochs=2", "epochs=1")])
    assert names["arrays"].classes == names["data"].classes == 2
    assert (folder / "mine" / "model.keras").is_file()
    assert (folder / "epochs.csv").is_file()
    student = mobilenet_tf.load_model("student.keras")
    assert student.count_params() == names["student"].count_params()


def test_compress(trained_run, monkeypatch, capsys):
    """Without the trainings, which tests/test_chains.py has."""
    pytest.importorskip("mobilenet_tf.compression.tfmot")
    monkeypatch.setattr(loop, "run", lambda *_, **__: None)
    monkeypatch.setattr(reports, "accuracy", lambda *_: 0.5)
    names = run("compress")
    weights = names["small"].count_params()
    assert weights < names["model"].count_params()
    assert names["size_bytes"] < 4 * weights
    printed = capsys.readouterr().out
    assert "prune: sparsity 0.75" in printed and "cluster: 16 values" in printed


def test_compress_describes_all_ways_of_an_update():
    text = (DOCS / "compress.md").read_text(encoding="utf-8")
    described = {*re.findall(r'^- `part="(\w+)"`', text, re.MULTILINE), "all"}
    assert described == set(updates.PARTS)
    assert re.search(r"^- `share=", text, re.MULTILINE)


def test_export(trained_run, capsys):
    for package in ("ai_edge_litert", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    # The network is not trained: its classes are close to each other.
    names = run("export", [('"int8", data=data', '"int8", data=data, min_agreement=0')])
    assert names["probabilities"].shape == (2, 2)
    assert capsys.readouterr().out.splitlines()[-1] in flowers.CLASSES


def test_reproduce(capsys):
    run("reproduce")
    mult_adds, parameters = capsys.readouterr().out.split()[:2]
    # As the paper's Table 9 prints them, the mult-adds without the classifier's.
    assert round((int(mult_adds) - 512 * 1000) / 1e6) == 76
    assert round(int(parameters) / 1e6, 2) == 1.32


def test_the_notebook(folder, small_networks, capsys):
    pytest.importorskip("ai_edge_litert")
    code = NOTEBOOK.read_text()
    for old, new in (
        ('Path("photos"), 56, 12', 'Path("drawn"), 32, 1'),
        ("range(480)", "range(48)"),
        ('"int8", data=data', '"int8", data=data, min_agreement=0'),
    ):
        assert code.count(old) == 1
        code = code.replace(old, new)
    exec(compile(code, NOTEBOOK.name, "exec"), {})
    assert re.search(r"drawn/.*\.png: .*, \d+ %$", capsys.readouterr().out.strip())


def test_all_code_is_run():
    pages = {path.stem for path in DOCS.rglob("*.md") if fenced(path, "python")}
    assert pages == RUN_HERE | RUN_ELSEWHERE.keys()
    for page, test in RUN_ELSEWHERE.items():
        assert f"{page}.md" in (ROOT / "tests" / test).read_text()


@pytest.mark.parametrize("document", COMMANDS, ids=lambda path: path.stem)
def test_commands_are_legal(document):
    text = "\n".join(fenced(document, "")).replace("\\\n", " ")
    commands = re.findall("^mobilenet_tf (.*)", text, re.MULTILINE)
    assert commands or document.stem == "reproduce"
    for arguments in commands:
        program.parser().parse_args(arguments.split())
    targets = re.findall(r"^make (\S+)", text, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(targets) <= set(phony[1].split())


def test_the_reference_has_every_public_function():
    documented = set()
    for page in (DOCS / "reference").glob("*.md"):
        for name, options in re.findall(
            r"^::: (\S+)((?:\n .*)*)", page.read_text(), re.MULTILINE
        ):
            documented.add(name.rpartition(".")[2])
            for members in re.findall(r"members:((?:.|\n)*)", options):
                documented |= set(re.findall(r"\w+", members))
    for room in (mobilenet_tf, compression, data, export, training, update):
        public = {*room.__all__, *getattr(room, "_FUNCTIONS", ())}
        assert public <= documented, room.__name__
