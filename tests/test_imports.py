"""The direction of the imports: which room may use which, and no circle anywhere."""

import ast
import graphlib
import os
import subprocess
import sys

import pytest
from conftest import ROOT

# A room imports rooms of lower levels only; rooms of one level know nothing of each
# other. Every module belongs to a room.
LEVELS = {
    "mobilenet_tf.arguments": 0,
    "mobilenet_tf.files": 0,
    "mobilenet_tf.packages": 0,
    "mobilenet_tf.processor": 0,
    "mobilenet_tf.analysis": 1,
    "mobilenet_tf.models": 1,
    "mobilenet_tf.data": 2,
    "mobilenet_tf": 3,  # the public face
    "mobilenet_tf.codec": 4,
    "mobilenet_tf.hosts": 4,
    "mobilenet_tf.training": 4,
    "mobilenet_tf.compression": 5,
    "mobilenet_tf.export": 5,
    "mobilenet_tf.update": 5,
    "mobilenet_tf.hub": 6,
    "mobilenet_tf.cli": 6,
    "mobilenet_tf.__main__": 7,
    "experiments.published": 0,
    "experiments.trials": 6,
    "experiments.report": 7,
    "experiments.sweep": 7,
    "experiments.harness": 8,
    "experiments.updates": 9,
    "experiments": 10,
    "benchmarks": 11,
}
FILES = sorted(
    path
    for folder in ("mobilenet_tf", "experiments", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imported(path):
    """Every name that a file imports, inside functions too.

    What a package's face declares for type checkers it does not import.
    """
    tree = ast.parse(path.read_text())
    if path.name == "__init__.py":
        tree.body = [node for node in tree.body if not declares_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def declares_types(node):
    """Whether a statement is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def own_imports(path):
    """The modules of this project among them."""
    for name in imported(path):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name:
            yield name


def room(module):
    """The longest entry of `LEVELS` that a module lies in."""
    while module not in LEVELS:
        module = module.rpartition(".")[0]
    return module


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_lies_below_it(module):
    own = room(module)
    for name in own_imports(MODULES[module]):
        other = room(name)
        assert own == other or LEVELS[other] < LEVELS[own], f"{module} imports {name}"


def test_every_room_has_modules():
    assert {room(module) for module in MODULES} == set(LEVELS)
    loose = [module for module in MODULES if room(module) == "mobilenet_tf"]
    assert loose == ["mobilenet_tf"]


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        module: set(own_imports(path)) - {module} for module, path in MODULES.items()
    }
    for module in graph:  # a package's face hands names on and is above its modules
        if MODULES[module].name == "__init__.py":
            graph[module] = {
                name for name in graph[module] if not name.startswith(f"{module}.")
            }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names them


def test_the_library_never_imports_the_reproduction():
    for module, path in MODULES.items():
        if module.startswith("mobilenet_tf"):
            names = list(imported(path))
            assert not any(name.startswith("experiments") for name in names), module


def test_what_ray_starts_beside_a_training_is_light():
    """The storage actor, and the look at a node's versions."""
    program = (
        "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None\n"
        "import experiments.sweep.storage_actor, experiments.sweep.source"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


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
    assert found == {"tfmot"}


@pytest.mark.parametrize(
    "module", ["blocks", "mobilenet", "squeezenet", "squeezenet_blocks"]
)
def test_networks_import_nothing_but_keras(module):
    allowed = {"keras", "mobilenet_tf", *sys.stdlib_module_names}
    for name in imported(ROOT / "mobilenet_tf" / "models" / f"{module}.py"):
        assert name.split(".")[0] in allowed


def test_what_is_imported_and_when():
    """Nothing heavy, then what is used; compression and export without the codec.

    The kernels are oneDNN's, unless the user says otherwise (test_accelerated.py).
    """
    program = (
        "import sys, mobilenet_tf\n"
        "assert not {'keras', 'numpy', 'tensorflow'} & set(sys.modules)\n"
        "import keras; before = set(sys.modules); mobilenet_tf.build\n"
        "new = {name for name in set(sys.modules) - before}\n"
        "assert all(name.startswith('mobilenet_tf') for name in new), new\n"
        "mobilenet_tf.export.litert_file; mobilenet_tf.compression\n"
        "assert 'mobilenet_tf.codec' not in sys.modules\n"
        "assert 'constriction' not in sys.modules\n"
        "assert mobilenet_tf.processor.kernels() == 'onednn'\n"
    )
    without = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=without)


@pytest.mark.parametrize(
    "room",
    ["codec", "compression", "data", "export", "hosts", "hub", "training", "update"],
)
def test_rooms_resolve_on_use(room):
    import mobilenet_tf

    needed = {"codec": "constriction", "update": "tuf"}
    if room in needed:
        pytest.importorskip(needed[room])
    assert getattr(mobilenet_tf, room).__name__ == f"mobilenet_tf.{room}"
    assert room in dir(mobilenet_tf)


def test_the_codec_says_what_it_lacks(monkeypatch):
    import mobilenet_tf

    for name in list(sys.modules):
        if name.startswith("mobilenet_tf.codec"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(mobilenet_tf), "codec", raising=False)
    monkeypatch.setitem(sys.modules, "constriction", None)
    message = "the codec needs constriction; pip install constriction "
    with pytest.raises(ImportError, match=message):
        _ = mobilenet_tf.codec
    with pytest.raises(AttributeError, match="no attribute 'coder'"):
        _ = mobilenet_tf.coder
