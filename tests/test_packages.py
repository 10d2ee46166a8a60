"""Missing packages: one error that names them, and a pip command that works."""

import importlib
import re
import sys
import tomllib

import pytest
from conftest import ROOT

from experiments.harness import display
from experiments.sweep import session
from experiments.sweep.options import Options
from experiments.sweep.storage import Storage
from experiments.trials import step_times
from mobilenet_tf import compression
from mobilenet_tf.compression import fine_tuning
from mobilenet_tf.packages import require

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
SOURCES = [
    path
    for folder in ("mobilenet_tf", "experiments", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


def package(requirement):
    """The normalised name in a requirement."""
    return re.match(r"[\w-]+", requirement)[0].lower().replace("_", "-")


def test_what_is_there_is_imported():
    assert require("json", "os.path", extra="export") == [
        importlib.import_module("json"),
        importlib.import_module("os.path"),
    ]


def test_the_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "nothing", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        require("json.decoder", "nothing", extra="hub")
    assert caught.value.name == "nothing"
    assert str(caught.value).startswith(
        "this needs json and nothing; pip install 'mobilenet_tf[hub]' (import of "
    )


def test_a_broken_package_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "broken_package.py").write_text("raise ImportError('an old libc')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ImportError, match=r"needs broken_package; .*an old libc"
    ) as caught:
        require("broken_package", command="pip install it")
    assert not isinstance(caught.value, ModuleNotFoundError)


def grid():
    with session.connected(Options("127.0.0.1:6379"), "runs", 0, ()):
        pass


@pytest.mark.parametrize(
    ("use", "missing", "message"),
    [
        (lambda: Storage("runs"), "fsspec", r"'mobilenet_tf\[experiments\]'"),
        (display.terminal, "rich.console", r"'mobilenet_tf\[experiments\]'"),
        (
            lambda: step_times.measure("SqueezeNet", "float32", 2),
            "psutil",
            r"'mobilenet_tf\[experiments\]'",
        ),
        (
            fine_tuning.toolkit,
            "tensorflow_model_optimization",
            "--no-deps tensorflow-model-optimization==0.8.0",
        ),
        (grid, "ray", r"'mobilenet_tf\[cluster\]'"),
    ],
    ids=["storage", "display", "measurement", "toolkit", "grid"],
)
def test_who_needs_what(use, missing, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in list(sys.modules):  # as if nobody had imported the bridge
        if name.startswith("mobilenet_tf.compression.tfmot"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(compression), "tfmot", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    package_name = missing.partition(".")[0]
    with pytest.raises(
        ImportError, match=rf"needs .*{package_name}.*; pip .*{message}"
    ):
        use()
    assert list(tmp_path.iterdir()) == []


def test_extras_that_errors_name_exist():
    named = {
        extra
        for path in SOURCES
        for extra in re.findall(
            r"""extra="(\w+)"|mobilenet_tf\[(\w+)\]""", path.read_text()
        )
    }
    assert {first or second for first, second in named} <= EXTRAS.keys()


def test_the_toolkit_is_installed_as_the_documents_say():
    command = "pip install --no-deps tensorflow-model-optimization==0.8.0"
    source = ROOT / "mobilenet_tf" / "compression" / "tfmot" / "packages.py"
    for path in (source, ROOT / "BUILD.md"):
        assert command in path.read_text(), path
    assert command.removeprefix("pip install ") in (ROOT / "Makefile").read_text()
    assert "tensorflow-model-optimization==0.8.0" in EXTRAS["compression"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_no_package_is_listed_twice(extra):
    names = [package(requirement) for requirement in EXTRAS[extra]]
    assert len(names) == len(set(names))


def test_packages_of_the_scripts_are_no_requirements_of_the_library():
    declared = {package(one) for one in PROJECT["dependencies"]}
    assert "absl-py" not in declared  # of the scripts, which are not installed
    assert {"absl-py", "fsspec", "psutil", "rich"} <= {
        package(one) for one in EXTRAS["experiments"]
    }
    for extra in ("export", "micro"):
        assert "flatbuffers" in {package(one) for one in EXTRAS[extra]}
