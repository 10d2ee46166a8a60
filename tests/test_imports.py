"""The direction of the imports: see "Design" in the README."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT

LEVELS = {
    "arguments": 0,
    "layers": 0,
    "deep_compression": 0,
    "download": 0,
    "imagenet": 1,
    "checkpoints": 1,
    "authors_weights": 1,
    "mobilenet": 2,
    "squeezenet": 2,
    "baselines": 2,
    "cost": 3,
    "footprint": 4,
    "data": 4,
    "training": 5,
    "evaluation": 5,
    "compression": 6,
    "export": 6,
    "reporting": 6,
    "experiment": 7,
    "experiments": 8,
    "benchmarks": 8,
}
FILES = sorted(
    path
    for folder in ("mobilenet_tf", "experiments", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def role(dotted):
    parts = dotted.split(".")
    return parts[0] if parts[0] != "mobilenet_tf" else parts[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_back_up(path):
    own = role(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own == "__init__":
        return
    for name in imported(path):
        if name.startswith("mobilenet_tf.") and role(name) in LEVELS:
            assert LEVELS[role(name)] <= LEVELS[own], f"{path.name} imports {name}"


def test_there_are_files_to_look_at():
    assert len(FILES) > 25


def test_only_data_imports_tensorflow_datasets():
    for path in FILES:
        if "data" not in path.parts:
            assert not any("tensorflow_datasets" in name for name in imported(path))


def test_only_the_bridge_imports_the_toolkit():
    packages = ("tf_keras", "tensorflow_model_optimization")
    found = {
        path.parent.name
        for path in FILES
        for name in imported(path)
        if name.startswith(packages)
    }
    assert found == {"bridge"}


@pytest.mark.parametrize("module", ["layers", "mobilenet", "squeezenet"])
def test_models_import_nothing_but_keras(module):
    allowed = {"keras", "mobilenet_tf", *sys.stdlib_module_names}
    for name in imported(ROOT / "mobilenet_tf" / f"{module}.py"):
        assert name.split(".")[0] in allowed


def test_importing_the_package_imports_keras_alone():
    program = (
        "import sys, keras; before = set(sys.modules); import mobilenet_tf\n"
        "new = {name for name in set(sys.modules) - before}\n"
        "assert all(name.startswith('mobilenet_tf') for name in new), new\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_codec_is_imported_on_use():
    program = (
        "import sys\n"
        "from mobilenet_tf import compression\n"
        "assert 'constriction' not in sys.modules\n"
        "compression.codec.save\n"
        "assert 'constriction' in sys.modules\n"
    )
    pytest.importorskip("constriction")
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_codec_says_what_it_lacks(monkeypatch):
    from mobilenet_tf import compression

    for name in list(sys.modules):
        if name.startswith("mobilenet_tf.compression.codec"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(compression), "codec", raising=False)
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(ImportError, match=r"pip install 'mobilenet_tf\[compression\]'"):
        _ = compression.codec
    with pytest.raises(AttributeError, match="no attribute 'coder'"):
        _ = compression.coder
