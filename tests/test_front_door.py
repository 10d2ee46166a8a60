"""What `import mobilenet_tf` offers: the same to a program and to a type checker."""

import ast
import importlib

import pytest
from conftest import ROOT
from test_imports import declares_types

import mobilenet_tf

TREE = ast.parse((ROOT / "mobilenet_tf" / "__init__.py").read_text())
OPTIONAL = {"codec": "constriction", "update": "tuf"}


def declared():
    """The module that each name comes from, as a type checker reads it."""
    (block,) = filter(declares_types, TREE.body)
    return {
        alias.name: statement.module
        for statement in block.body
        for alias in statement.names
    }


def test_a_type_checker_sees_what_is_found_on_use():
    found_on_use = {*mobilenet_tf._ROOMS, *mobilenet_tf._FUNCTIONS, "cost"}
    assert set(declared()) == found_on_use
    assert set(mobilenet_tf.__all__) == found_on_use - set(mobilenet_tf._ROOMS)
    assert found_on_use <= set(dir(mobilenet_tf))


def test_a_type_checker_does_not_see_the_function_that_finds_them():
    """With it, every name would exist and have the type Any."""
    visible = [node.name for node in TREE.body if isinstance(node, ast.FunctionDef)]
    assert visible == ["__dir__"]


@pytest.mark.parametrize("name", declared())
def test_both_mean_the_same(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    module = declared()[name]
    try:
        expected = importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        expected = getattr(importlib.import_module(module), name)
    assert getattr(mobilenet_tf, name) is expected


def test_rooms_are_exported_to_strict_type_checkers():
    """`import a as a` is what type checkers take as an export outside `__all__`."""
    (block,) = filter(declares_types, TREE.body)
    exported = {
        alias.asname
        for statement in block.body
        for alias in statement.names
        if alias.asname is not None
    }
    assert exported == set(mobilenet_tf._ROOMS)
