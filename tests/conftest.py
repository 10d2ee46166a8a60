"""Settings of the test run, command lines, the reference material.

Data sets and networks are in shared_fixtures.py.
"""

import contextlib
import gc
import importlib
import os
import sys
from pathlib import Path

# Set before Keras is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a worker per core; more threads would compete for the same cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest
from absl.flags import FLAGS

# Modules of fixtures that test modules import before pytest does.
pytest.register_assert_rewrite("explorer_browser", "fleet", "nodes", "runs")

ROOT = Path(__file__).resolve().parents[1]
STARTED = str(ROOT / "tests" / "started")  # see its sitecustomize.py
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser):
    parser.addoption(
        "--thorough", action="store_true", help="include the tests that take long"
    )


def pytest_configure(config):
    """Fewer examples of each property, unless --thorough is given; no time limit."""
    examples = 100 if config.getoption("--thorough") else 25
    hypothesis.settings.register_profile("suite", max_examples=examples, deadline=None)
    hypothesis.settings.load_profile("suite")
    # The process that starts the workers runs no tests: it does without TensorFlow.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared_fixtures")
        others = filter(None, [os.environ.get("PYTHONPATH")])
        os.environ["PYTHONPATH"] = os.pathsep.join([STARTED, *others])


def pytest_collection_finish():
    """Collect garbage less often, and never among what the imports have left.

    There are a million such objects, and tracing a network makes so many more that a
    fifth of the time would pass in looking through all of them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(config, items):
    """Deselect tests that take long or are of `make test-jax`, unless --thorough."""
    left_out = set()
    if not config.getoption("--thorough"):
        left_out.add("thorough")
        if os.environ.get("KERAS_BACKEND") != "jax":
            left_out.add("jax")
    items[:] = [
        item
        for item in items
        if left_out.isdisjoint(mark.name for mark in item.iter_markers())
    ]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, the reference material beside the checkout")
    return SHARED


@pytest.fixture
def examples(request) -> int:
    """The unit of damaged files to read: thousands with --thorough, else hundreds."""
    return 100 if request.config.getoption("--thorough") else 5


@pytest.fixture
def durable(monkeypatch):
    """Checks that what is renamed was synchronised before, and its folder after."""
    synchronised, waiting, renamed = set(), [], []
    fsync, replace = os.fsync, os.replace

    def identity(status):
        return status.st_dev, status.st_ino

    def watched_fsync(descriptor):
        fsync(descriptor)
        found = identity(os.fstat(descriptor))
        synchronised.add(found)
        waiting[:] = [folder for folder in waiting if folder != found]

    def watched_replace(source, path, **options):
        for each in (Path(source), *Path(source).rglob("*")):
            assert identity(each.stat()) in synchronised, f"{each} is not on the disk"
        replace(source, path, **options)
        waiting.append(identity(Path(path).parent.stat()))
        renamed.append(os.fspath(path))

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    yield renamed
    assert renamed and not waiting, "a folder is not synchronised after a rename"


def import_path(*folders) -> str:
    """PYTHONPATH of a process that a test starts."""
    return os.pathsep.join([*map(str, folders), os.environ["PYTHONPATH"]])


def parse_flags(*arguments) -> list[str]:
    """Parse a command line after resetting all flags; returns what is left of it."""
    for name in FLAGS:
        FLAGS[name].unparse()
    return FLAGS(["program", *map(str, arguments)])


def modules_with_flags() -> set[str]:
    """The modules of this project that have defined flags."""
    packages = ("benchmarks.", "experiments.", "mobilenet_tf.")
    modules = FLAGS.flags_by_module_dict().items()
    return {name for name, flags in modules if flags and name.startswith(packages)}


@pytest.fixture
def own_flags():
    """Removes the flags that a test defines: absl has one set, where programs clash."""
    before = modules_with_flags()
    yield
    for name in modules_with_flags() - before:
        for flag in list(FLAGS.flags_by_module_dict()[name]):
            delattr(FLAGS, flag.name)
        if not hasattr(sys.modules[name], "define"):
            del sys.modules[name]  # defines its flags when it is imported again


@pytest.fixture
def experiment_flags(own_flags):
    """The flags of the experiments."""
    from experiments.harness import flags

    flags.define()
    return FLAGS


@pytest.fixture
def run_program(own_flags, capsys):
    """Runs the `main` of a module that defines flags, in this process.

    `run_program("package.module", "--flag=1", "argument")` returns what it prints.
    """

    def run(name, *arguments):
        module = importlib.import_module(name)
        capsys.readouterr()
        module.main(parse_flags(*arguments))
        return capsys.readouterr().out

    return run


@contextlib.contextmanager
def untraced():
    """Training without tracing: for a few steps that are not the point of a test.

    Tracing a network takes as long as ten steps without.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def eagerly():
    """The whole test is untraced."""
    with untraced():
        yield


def outputs_of(model, images) -> np.ndarray:
    """What a model predicts; `model.predict` would compile it first, for seconds."""
    outputs = model(images, training=False)
    return outputs.numpy() if hasattr(outputs, "numpy") else np.asarray(outputs)
