"""The words of TwiML are those of Twilio's own library."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache

import pytest
from twilio.twiml import voice_response  # type: ignore[import-untyped]

from adapter.replay.vocabulary import ATTRIBUTES

# Python names that are an element's text or child, not an attribute.
TEXTS = {"message", "url", "number", "name", "identity", "sipUrl", "body", "words", "digits"}


def _written() -> Iterator[tuple[str, str]]:
    """Each (element, attribute) that the library's methods can write."""
    # Read as one tree: `inspect` would read the whole module again for each class.
    lines = inspect.getsource(voice_response).splitlines()
    classes = {node.name: node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef)}

    def source_of(node: ast.stmt) -> str:
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])

    for method in (each for parent in classes.values() for each in parent.body if isinstance(each, ast.FunctionDef)):
        made = re.search(r"nest\(\s*(\w+)\(", source_of(method))
        if made is None or made[1] not in classes:
            continue
        element = re.search(r'self\.name = "(.+?)"', source_of(classes[made[1]]))
        assert element is not None
        for name in (each.arg for each in method.args.args if each.arg != "self"):
            if re.search(rf"\b{name}={name}\b", source_of(method)):
                yield element[1], _camel(name)


@cache
def _library() -> frozenset[tuple[str, str]]:
    return frozenset(_written())


def _camel(name: str) -> str:
    first, *others = name.rstrip("_").split("_")
    return first + "".join(word.title() for word in others)


def test_every_attribute_of_the_library_is_known() -> None:
    pairs = {(element, name) for element, name in _library() if element in ATTRIBUTES and name not in TEXTS}
    unknown = {(element, name) for element, name in pairs if name not in ATTRIBUTES[element]}
    assert len(pairs) > 150
    assert unknown == set()


@pytest.mark.parametrize("element", sorted(set(ATTRIBUTES) - {"Response"}))
def test_no_attribute_is_made_up(element: str) -> None:
    documented = {name for found, name in _library() if found == element}
    assert ATTRIBUTES[element] <= documented
