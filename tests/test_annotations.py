"""The package ships types: every public function says what it takes and gives."""

import ast

import pytest
from conftest import ROOT

FILES = sorted((ROOT / "mobilenet_tf").rglob("*.py"))


def unannotated(body, inside_class=False):
    """Names of public functions that lack an annotation."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from unannotated(node.body, inside_class=True)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = node.args
            arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            arguments += filter(None, (given.vararg, given.kwarg))
            static = any(
                isinstance(one, ast.Name) and one.id == "staticmethod"
                for one in node.decorator_list
            )
            if inside_class and not static:
                arguments = arguments[1:]
            complete = all(argument.annotation for argument in arguments)
            if not complete or node.returns is None:
                yield node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_are_annotated(path):
    assert list(unannotated(ast.parse(path.read_text()).body)) == []


def test_a_missing_annotation_is_found():
    source = "def f(x) -> int: ...\nclass A:\n    def g(self, y: int): ...\n"
    assert list(unannotated(ast.parse(source).body)) == ["f", "g"]
