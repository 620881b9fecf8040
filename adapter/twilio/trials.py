"""Whether a text can be spoken: it is, once for each way in which its facts can be known, before anybody calls.

Jinja compares and filters only when it renders: `{% if attempt_count > 2 %}` is a fine template, and fails for every
caller who left nothing open. Samples stand for what is remembered, so that an error's words give nothing away.
Leaves out: what a template may be made of (`templates`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from typing import Final

from jinja2 import Template, TemplateError, nodes

# All that rendering a template that passed `templates.problem` can raise.
NOT_SPOKEN: Final = (TemplateError, TypeError, ValueError, ArithmeticError)

_NUMBERS: Final = frozenset({"attempt", "attempt_count", "count", "length", "speech", "verified"})
_ALWAYS_KNOWN: Final = frozenset({"count", "recommendation", "speech", "verified"})
_KNOWN_TOGETHER: Final = frozenset({"intent", "attempt", "attempt_count"})  # all of them, or none

Sample = dict[str, str | int | None]


def failure(template: Template, tree: nodes.Template) -> str | None:
    """What is wrong with a text that cannot be spoken to every caller; None when it can. `tree`: the same, parsed."""
    used = frozenset(node.name for node in tree.find_all(nodes.Name))
    constants = [node.value for node in tree.find_all(nodes.Const)]
    for unknown in _unknown(used):
        for sample in _samples(used - unknown, constants):
            try:
                template.render({**sample, **dict.fromkeys(unknown)})
            except NOT_SPOKEN as error:
                return _told(unknown, error)
    return None


def _unknown(used: Set[str]) -> Iterator[frozenset[str]]:
    """What may be unknown at the same time: nothing, each on its own, all but each, all."""
    maybe = frozenset(used - _ALWAYS_KNOWN)
    groups = [maybe & _KNOWN_TOGETHER, *(frozenset({name}) for name in sorted(maybe - _KNOWN_TOGETHER))]
    yield frozenset()
    yield from groups
    yield from (maybe - group for group in groups)
    yield maybe


def _samples(known: Set[str], constants: Collection[object]) -> Iterator[Sample]:
    """Numbers at, below and above what a template is likely to ask for, and all that it compares with."""
    numbers = {0, 1, 9, *(each for each in constants if isinstance(each, int))}
    words = {"x", *(each for each in constants if isinstance(each, str))}
    for number in sorted(numbers):
        yield {name: number if name in _NUMBERS else "x" for name in known}
    for word in sorted(words):
        yield {name: 9 if name in _NUMBERS else word for name in known}


def _told(unknown: Set[str], error: Exception) -> str:
    if not unknown:
        return f"cannot be spoken: {error}; write it without"
    names = ", ".join(sorted(unknown))
    first = sorted(unknown)[0]
    return f"cannot be spoken where {names} is not known: {error}; ask first, as in {{% if {first} and … %}}"
