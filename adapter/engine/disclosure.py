"""Who may hear what: the memory of a customer, reduced to what this caller is entitled to (semantics §5, §9).

What a caller must not hear is not there afterwards, so no text, hand-over or whisper can give it away. Leaves out: who
the caller is (`identity`), and what is then said (`flow`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .line import Disclosure, DisclosureRules, Line, ProofKind
from .model import Memory, Recommendation

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
    memory: Memory, rules: DisclosureRules, classes: Collection[Disclosure], secret_names: Collection[str] = ()
) -> Memory:
    """What of `memory` falls into `classes`; variables of `secret_names` never do. Not named in the rules: personal."""
    if not classes:
        return Memory()
    of_variables, of_intents, unnamed = rules.variables, rules.intents, Disclosure.PERSONAL
    return Memory(
        tuple(i for i in memory.open_intents if of_intents.get(i.intent, unnamed) in classes),
        tuple(
            v for v in memory.variables if v.name not in secret_names and of_variables.get(v.name, unnamed) in classes
        ),
    )


def secrets(line: Line) -> tuple[str, ...]:
    """Variables that prove who somebody is: heard by nobody, or the next caller could say them."""
    confirm = line.confirm
    if confirm is None or confirm.by is ProofKind.NAME or not confirm.variable:
        return ()
    return (confirm.variable,)
