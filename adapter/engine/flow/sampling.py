"""One representative of each kind: callers that a line tells apart, and what they can do at each place.

Leaves out: walking (`graph`). What is said here is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from adapter.engine.line import DestinationKind, Line, ProofKind
from adapter.engine.model import (
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Outcome,
    Place,
    Recommendation,
    Talk,
    Turn,
    Variable,
)

from .known import Known, Proof, known
from .speaking import to_choose_from

CALL: Final = "CA" + "0" * 32
CUSTOMER: Final = "00000000-0000-4000-8000-000000000001"
_EARLIER: Final = "CA" + "1" * 32
_NAME: Final = "Maria Miller"
_SOMEBODY: Final = "Paul Baker"
_INTENT: Final = "refund_request"
_FOREVER: Final = 2**53
# Stands for any key that nothing is chosen with.
_WRONG_KEY: Final = "*"
_SOUNDS: Final = "…"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls. `memory`: all that is remembered of them, whatever they may hear of it."""

    label: str = field(compare=False)
    recommendation: Recommendation
    memory: Memory
    people: int = 1
    provable: bool = False
    locked: bool = False
    verified: bool = False
    has_number: bool = True

    def known(self, line: Line) -> Known:
        """As the conversation knows them."""
        identity = Identity(0.0, Level.LOW, (), self.recommendation)
        return known(
            line,
            CALL,
            CUSTOMER,
            identity,
            self.verified,
            self.memory,
            self.people,
            self.provable,
            self.locked,
            self.has_number and not self._owes_proof(line),
        )

    def _owes_proof(self, line: Line) -> bool:
        probable = self.recommendation is Recommendation.CONFIRM or (
            self.recommendation is Recommendation.REUSE and self.people > 1
        )
        return line.confirm is not None and probable and self.provable and not self.verified


Does = tuple[str, Turn, int]


def somebody_new(caller: Caller) -> Caller:
    """Who turned out not to be whom we took them for: nothing is remembered of them, and nothing can prove anything."""
    return replace(caller, recommendation=Recommendation.IGNORE, memory=Memory(), provable=False, verified=False)


def callers(line: Line) -> Iterator[Caller]:
    """Everybody whom the line treats differently, at the start of a call."""
    for standing, people, provable, locked in _STANDINGS if line.confirm else _STANDINGS[:1]:
        for remembered, memory in _memories(line):
            for recommendation in Recommendation:
                label = ", ".join(filter(None, (recommendation.value, standing, remembered)))
                yield Caller(label, recommendation, memory, people, provable, locked)
    kinds = {each.kind for each in (line.destination, *line.destinations.values())}
    if DestinationKind.CALLBACK in kinds:  # nothing else asks how to reach a caller
        yield Caller("ignore, no number", Recommendation.IGNORE, Memory(), people=0, has_number=False)


_STANDINGS: Final = (
    ("", 1, True, False),
    ("two people", 2, True, False),
    ("nothing to prove it", 1, False, False),
    ("locked", 1, True, True),
)


def turns_at(line: Line, talk: Talk) -> Iterator[Does]:
    """What a caller can do here: (label, turn, milliseconds since the place was come to)."""
    does = partial(Turn, CALL, talk.turn)
    if talk.place in _ANSWERS:
        yield from _ANSWERS[talk.place](line, does)
        yield "silence", does(), 0
        yield "wrong key", does(digits=_WRONG_KEY), 0
        yield "not understood", does(speech=_SOUNDS), 0
    elif talk.place is Place.HANDED_OVER:
        for outcome in Outcome:
            yield outcome.value.replace("_", " "), does(outcome=outcome), 0
    elif talk.place is Place.VOICEMAIL:
        yield "message", does(recorded=True), 0
        yield "silence", does(), 0


def proofs_of(line: Line, caller: Caller) -> tuple[Proof, ...]:
    """What the caller can be recognized by."""
    if line.confirm is None or not caller.provable:
        return ()
    return (Proof(CUSTOMER, _secret(line)),)


def _memories(line: Line) -> Iterator[tuple[str, Memory]]:
    variables = tuple(_variables(line))
    yield "", Memory((), variables)
    names = intents_of(line)
    for attempts in _attempts(line):
        yield f"{attempts} times before", Memory(tuple(_open(name, attempts) for name in names), variables)
    for each in to_choose_from(line)[1:]:
        yield f"speaks {each.language}", Memory((), (*variables, _variable(line.language_variable, each.language)))


def intents_of(line: Line) -> tuple[str, ...]:
    """All that calls can be about, as far as the line knows."""
    options = line.menu.options if line.menu else ()
    named = (*line.intents, *line.disclosure.intents, *(option.intent for option in options))
    return tuple(dict.fromkeys(named or (_INTENT,)))


def _attempts(line: Line) -> tuple[int, ...]:
    """Counts from which on the next call is escalated, and the lowest."""
    before = (step.attempt - 1 for rule in line.intents.values() for step in rule.escalate)
    return tuple(sorted({1, *(count for count in before if count > 0)}))


def _variables(line: Line) -> Iterator[Variable]:
    confirm = line.confirm
    proof = (confirm.variable,) if confirm and confirm.variable else ()
    for name in dict.fromkeys((line.name_variable, *proof, *line.disclosure.variables)):
        if name != line.language_variable:
            yield _variable(name, _NAME if name == line.name_variable else f"({name})")


def _variable(name: str, value: str) -> Variable:
    return Variable(name, value, None, _FOREVER, 0, 0, _FOREVER)


def _open(name: str, attempts: int) -> Intent:
    return Intent(name, IntentStatus.OPEN, attempts, 0, 0, 0, _EARLIER)


def _secret(line: Line) -> str:
    confirm = line.confirm
    if confirm is None or confirm.by is ProofKind.NAME:
        return _NAME
    return "1" * confirm.digits


def _languages(line: Line, does: Callable[..., Turn]) -> Iterator[Does]:
    for each in to_choose_from(line):
        yield each.language, does(digits=each.key), 0


def _proof(line: Line, does: Callable[..., Turn]) -> Iterator[Does]:
    confirm, right = line.confirm, _secret(line)
    if confirm is None:
        return
    said = confirm.by is ProofKind.NAME
    given = does(speech=right) if said else does(digits=right)
    wrong = does(speech=_SOMEBODY) if said else does(digits="2" * confirm.digits)
    yield "right answer", given, 0
    yield "wrong answer", wrong, 0
    yield "right answer, too late", given, confirm.seconds * 1000 + 1


def _account(line: Line, does: Callable[..., Turn]) -> Iterator[Does]:
    length = line.identify.length if line.identify else None
    yield "account number", does(digits="1" * (length or 8)), 0


def _offer(line: Line, does: Callable[..., Turn]) -> Iterator[Does]:
    yield "yes", does(digits="1"), 0
    yield "no", does(digits="2"), 0


def _menu(line: Line, does: Callable[..., Turn]) -> Iterator[Does]:
    for option in line.menu.options if line.menu else ():
        said = option.words[0] if option.words else option.intent.replace("_", " ")
        yield option.intent, does(digits=option.key) if option.key else does(speech=said), 0


_ANSWERS: Final[Mapping[Place, Callable[[Line, Callable[..., Turn]], Iterator[Does]]]] = MappingProxyType(
    {
        Place.LANGUAGE: _languages,
        Place.WHO: _proof,
        Place.IDENTIFY: _account,
        Place.CONFIRM: _proof,
        Place.OFFER: _offer,
        Place.MENU: _menu,
        Place.FORGET: _offer,
    }
)
