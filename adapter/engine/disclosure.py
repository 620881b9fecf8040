"""Who may hear what: the memory of a customer, reduced to what this caller is entitled to (semantics §5, §9).

What a caller must not hear is not there afterwards, so no text, hand-over or whisper can give it away. Leaves out: who
the caller is (`identity`), and what is then said (`flow`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .line import Disclosure, DisclosureRules, Line, ProofKind
from .model import Memory, Recommendation, Variable

_NOTHING: Final[frozenset[Disclosure]] = frozenset()
_FOUND: Final = frozenset({Disclosure.PUBLIC})
_KNOWN: Final = frozenset({Disclosure.PUBLIC, Disclosure.PERSONAL})
_EVERYTHING: Final = frozenset(Disclosure)

_BY_RECOMMENDATION: Final = {
    Recommendation.REUSE: _KNOWN,
    Recommendation.CONFIRM: _FOUND,
    Recommendation.IGNORE: _NOTHING,
}


def entitled(recommendation: Recommendation, verified: bool) -> frozenset[Disclosure]:
    """The classes that a caller may hear. `verified`: in this call, whatever was recommended at its start."""
    return _EVERYTHING if verified else _BY_RECOMMENDATION[recommendation]


def disclosed(
    memory: Memory,
    rules: DisclosureRules,
    classes: Collection[Disclosure],
    secret_names: Collection[str] = (),
    language: str = "",
) -> Memory:
    """What of `memory` falls into `classes`; variables of `secret_names` never do.

    Not named in the rules: personal; but public for the variable `language`, as callers are spoken to in it anyway.
    """
    if not classes:
        return Memory()
    if not (rules.variables or rules.intents or secret_names) and _KNOWN.issubset(classes):
        return memory  # of most lines: everything is personal, and looking through it costs every call

    def is_heard(variable: Variable) -> bool:
        unnamed = Disclosure.PUBLIC if variable.name == language else Disclosure.PERSONAL
        return variable.name not in secret_names and rules.variables.get(variable.name, unnamed) in classes

    intents = tuple(i for i in memory.open_intents if class_of(rules, i.intent) in classes)
    return Memory(intents, tuple(filter(is_heard, memory.variables)))


def class_of(rules: DisclosureRules, intent: str) -> Disclosure:
    """Who may hear that somebody called about it."""
    return rules.intents.get(intent, Disclosure.PERSONAL)


def own_language(line: Line) -> str:
    """The variable of the callers' language, on lines that speak several; "" on others."""
    return line.language_variable if line.languages else ""


def secrets(line: Line, known: bool = False) -> tuple[str, ...]:
    """Variables that prove who somebody is: heard by nobody, or the next caller could say them; but by their name
    callers are called who are `known`: verified, or to be greeted as themselves unasked."""
    confirm = line.confirm
    if confirm is None:
        return ()
    if confirm.by is ProofKind.NAME:
        return () if known else (line.name_variable,)
    return (confirm.variable,) if confirm.variable else ()
