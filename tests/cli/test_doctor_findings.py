"""Whatever doctor can find is produced by a set-up that is broken on purpose: the sentences of both are compared."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapter.cli
from tests.cli import test_doctor

_FOLDER = Path(adapter.cli.__file__).parent
_MODULES = ("doctor/here", "doctor/outside", "doctor/at_twilio", "numbers/findings")
# Where the sentence stands among the arguments.
_MAKERS = {"Finding": 1, "_finding": 0, "_url": 0, "_signature": 0, "_token": 0}
_LEAST = 6


def fragments(node: ast.expr) -> list[str]:
    """What is fixed of a sentence."""
    found = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))
    return [text.strip() for text in found if len(text.strip()) >= _LEAST]


def sentences() -> Iterator[tuple[str, list[str]]]:
    """Of every place that makes a finding: where it is, and what is fixed of what it says."""
    for module in _MODULES:
        tree = ast.parse((_FOLDER / f"{module}.py").read_text("utf-8"))
        for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
            for call in (each for each in ast.walk(function) if isinstance(each, ast.Call)):
                if isinstance(call.func, ast.Name) and call.func.id in _MAKERS:
                    said = call.args[_MAKERS[call.func.id]]
                    meant = _assigned(function, said.id, call.lineno) if isinstance(said, ast.Name) else said
                    yield f"{module}.{function.name}:{call.lineno}", fragments(meant or said)


def _assigned(function: ast.FunctionDef, name: str, line: int) -> ast.expr | None:
    """What the variable was set to last before this line."""
    assigned = [each for each in ast.walk(function) if isinstance(each, ast.Assign) and each.lineno < line]
    named = [each for each in assigned if ast.unparse(each.targets[0]) == name]
    return max(named, key=lambda each: each.lineno).value if named else None


SENTENCES = [(where, said) for where, said in sentences() if said]


def test_there_are_sentences() -> None:
    assert len(SENTENCES) > 25


@pytest.mark.parametrize(("where", "said"), SENTENCES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_finding_is_produced_on_purpose(where: str, said: list[str]) -> None:
    tree = ast.parse(Path(test_doctor.__file__).read_text("utf-8"))
    expected = fragments(tree)  # type: ignore[arg-type]
    assert any(part in whole or whole in part for part in said for whole in expected), (where, said)
