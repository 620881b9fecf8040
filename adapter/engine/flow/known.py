"""What the conversation is told about its caller, and what it has to tell about them.

`Known` is made anew for every turn, from the store; `Heard` goes back to it. Leaves out: finding out who calls
(`engine.identity`), and writing what was heard (the use cases).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.engine.disclosure import disclosed, entitled, own_language, secrets
from adapter.engine.line import Line
from adapter.engine.model import Identity, Memory, Recommendation, Talk


@dataclass(frozen=True, slots=True)
class Known:
    """Who is calling, as far as is known now.

    `memory` holds only what this caller may hear: make a Known with `known()`. `verified`: in this call. `people`:
    customers on the caller's number. `provable`: one of them has what `line.confirm` compares with. `locked`: too many
    wrong answers were given from this number. `has_number`: the caller can be rung back. Not who has a proof to give:
    the promise would be in nobody's memory, and the number may be a forged one.
    """

    recommendation: Recommendation
    verified: bool
    memory: Memory
    people: int
    provable: bool
    locked: bool
    customer_ref: str
    call_id: str
    has_number: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What would show that the caller is `customer_ref`: a name, a PIN, or an account number of which the last digits
    count. One for each customer that has one, among those the caller may be."""

    customer_ref: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """The caller is this customer: semantics §8, confirmed."""

    customer_ref: str


@dataclass(frozen=True, slots=True)
class Refuted:
    """The caller is not who we took them for: semantics §8, rejected."""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """Counts towards the lock-out of the caller's number. If that locks it, set `Talk.locked` before going on."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The caller named an external id: a second look-up is due, with this as a further hint."""

    key: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Learned:
    """A variable of the customer to keep (the chosen language)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """All that is stored of this customer is to be erased: semantics §8, erasure."""

    customer_ref: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An intent that the caller does not want any more, in this call or from an earlier one."""

    intent: str


Effect = Withdrawn | Forgotten | Verified | Refuted | WrongAnswer | Identified | Learned


@dataclass(frozen=True, slots=True)
class Heard:
    """The talk after a turn, and what is to be written because of it, in this order."""

    talk: Talk
    effects: tuple[Effect, ...] = ()


def known(
    line: Line,
    call_id: str,
    customer_ref: str,
    identity: Identity,
    verified: bool,
    memory: Memory,
    people: int = 1,
    provable: bool = False,
    locked: bool = False,
    has_number: bool = True,
) -> Known:
    """The caller as the conversation may know them: `memory`, whole, is reduced to what they are entitled to."""
    recommendation = trusted(line, identity.recommendation, verified)
    withheld = secrets(line, known=verified or recommendation is Recommendation.REUSE)
    reduced = disclosed(memory, line.disclosure, entitled(recommendation, verified), withheld, own_language(line))
    return Known(
        identity.recommendation, verified, reduced, people, provable, locked, customer_ref, call_id, has_number
    )


def trusted(line: Line, recommendation: Recommendation, verified: bool) -> Recommendation:
    """Where everybody is to be verified, nobody is told more for keeping silent at the question."""
    if recommendation is Recommendation.REUSE and line.confirm is not None and line.confirm.always and not verified:
        return Recommendation.CONFIRM
    return recommendation
