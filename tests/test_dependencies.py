"""What is imported is declared: in pyproject.toml, and not only installed here."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OWN = {"mobilenet_tf", "experiments", "benchmarks"}
# Extras of users: `pinned` repeats the core, the others are for who changes the code.
USERS = EXTRAS.keys() - {"pinned", "test", "docs", "dev"}


def canonical(requirement):
    """The name of a distribution, without version and extras."""
    name = re.match(r"[\w.-]+", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(extras):
    lists = [PROJECT["dependencies"], *(EXTRAS[name] for name in extras)]
    return {canonical(requirement) for listed in lists for requirement in listed}


def imports(folder):
    """Top-level names that the files of a folder import, anywhere in a module."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            elif isinstance(node, ast.Call) and _imports(node):
                names = [node.args[0].value]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], path.relative_to(ROOT))
    return {name: path for name, path in found.items() if name not in OWN}


def _imports(call):
    """Whether this is `require("package")` or `importlib.import_module("module")`."""
    called = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
    if called not in ("require", "import_module") or not call.args:
        return False
    return isinstance(call.args[0], ast.Constant)


distributions = functools.cache(packages_distributions)


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("mobilenet_tf", USERS - {"experiments", "cluster"}),
        ("experiments", USERS),
        ("benchmarks", USERS | {"test"}),
    ],
)
def test_what_is_imported_is_declared(folder, extras):
    found = imports(folder)
    assert "keras" in found
    for name, path in found.items():
        if name in sys.stdlib_module_names:
            continue
        # A package that is not installed here usually has the name of its module.
        names = {canonical(one) for one in distributions().get(name, [name])}
        assert names & declared(extras), f"{path} imports {name}, of {sorted(names)}"
