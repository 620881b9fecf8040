"""What the caller did and what follows from it: judge the turn, look the event up in the table, do what it says.

Leaves out: judging (`judging`), writing the effects (the use case), and what is said next (`going_on`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from adapter.engine.line import DEFAULT, Line
from adapter.engine.model import Millis, Place, Talk, Turn

from .judging import judge
from .known import Effect, Forgotten, Heard, Identified, Learned, Proof, Refuted, Verified, Withdrawn, WrongAnswer
from .table import TABLE, Keeps, Then


def hear(line: Line, talk: Talk, turn: Turn, proofs: Sequence[Proof], now: Millis) -> Heard:
    """Judge the answer to the last step. Total: any turn gives something. Whether `turn` answers this step at all (its
    number) is the caller's to know."""
    judged = judge(line, talk, turn, proofs, now)
    move = TABLE[talk.place, judged.event]
    kept = _KEEPS[move.keeps](line, talk, judged.value or "") if judged.value is not None else Heard(talk)
    wrong = (WrongAnswer(),) if move.wrong else ()
    counted = replace(kept.talk, wrong=talk.wrong + 1) if move.wrong else kept.talk
    moved = _moved(line, counted, move.then)
    return Heard(moved.talk, (*kept.effects, *wrong, *moved.effects))


def tries_at(line: Line, place: Place) -> int:
    """How often a question is asked at most; each offer is a question of its own."""
    parts = {
        Place.WHO: line.confirm,
        Place.CONFIRM: line.confirm,
        Place.IDENTIFY: line.identify,
        Place.OFFER: line.offer,
        Place.MENU: line.menu,
        Place.FORGET: line.forget,
    }
    part = parts.get(place)
    return part.tries if part is not None else _LANGUAGE_TRIES


# Keys in two languages are heard at the latest the second time; after that the default one is as good as any.
_LANGUAGE_TRIES: Final = 2


def _moved(line: Line, talk: Talk, then: Then) -> Heard:
    if then is Then.FURTHER:
        return Heard(replace(talk, tries=0, wrong=0))
    if then is Then.DONE:
        return Heard(_done(talk))
    if then is Then.OVER:
        return Heard(replace(_done(talk), place=Place.OVER))
    if then is Then.AGAIN and talk.tries + 1 < tries_at(line, talk.place):
        return Heard(replace(talk, tries=talk.tries + 1))
    return _given_up(talk)


def _given_up(talk: Talk) -> Heard:
    effects: tuple[Effect, ...] = (Refuted(),) if talk.wrong else ()
    return Heard(_done(estranged(talk) if effects else talk), effects)


def _done(talk: Talk) -> Talk:
    return replace(talk, visited=(*talk.visited, talk.place))


def estranged(talk: Talk) -> Talk:
    """The talk of a caller who turned out to be somebody else: nothing that was offered from the other's memory, or
    that an earlier call of theirs was about."""
    return replace(without_intents(talk, (*talk.offered, *talk.carried)), offered=(), carried=())


def without_intents(talk: Talk, hidden: Collection[str]) -> Talk:
    """The talk as if these had not come up in it."""
    opened = tuple(intent for intent in talk.opened if intent not in hidden)
    return replace(talk, intent="" if talk.intent in hidden else talk.intent, opened=opened)


def opening(talk: Talk, intent: str) -> Talk:
    """With this intent among those that the call leaves open."""
    return talk if intent in talk.opened else replace(talk, opened=(*talk.opened, intent))


def _keep_nothing(line: Line, talk: Talk, value: str) -> Heard:
    return Heard(talk)


def _keep_language(line: Line, talk: Talk, value: str) -> Heard:
    return Heard(replace(talk, language=value), (Learned(line.language_variable, value),))


def _keep_customer(line: Line, talk: Talk, value: str) -> Heard:
    return Heard(talk, (Verified(value),))


def _keep_account(line: Line, talk: Talk, value: str) -> Heard:
    key = line.identify.key if line.identify else ""
    return Heard(replace(talk, presented=(key, value)), (Identified(key, value),))


def _keep_intent(line: Line, talk: Talk, value: str) -> Heard:
    """What is chosen from a menu is the caller's own word, even if it was offered before: `offered` and `carried` are
    from memory."""
    if talk.place is Place.MENU:
        offered, carried = (tuple(i for i in each if i != value) for each in (talk.offered, talk.carried))
        talk = replace(talk, offered=offered, carried=carried)
    return Heard(opening(replace(talk, intent=value), value))


def _keep_destination(line: Line, talk: Talk, value: str) -> Heard:
    """Where the call goes next, unless it was there: it stays where it is then, and nobody is rung twice."""
    name = value if value in line.destinations else DEFAULT
    return Heard(talk if name in talk.tried else replace(talk, destination=name))


def _keep_erasure(line: Line, talk: Talk, value: str) -> Heard:
    """Nothing is left open of somebody who is forgotten."""
    return Heard(replace(talk, intent="", offered=(), carried=(), opened=()), (Forgotten(value),))


def _keep_withdrawal(line: Line, talk: Talk, value: str) -> Heard:
    """Left open, it would be told to agents, and to the caller that we are working on it."""
    carried = tuple(intent for intent in talk.carried if intent != value)
    return Heard(replace(without_intents(talk, (value,)), carried=carried), (Withdrawn(value),))


_KEEPS: Final[Mapping[Keeps, Callable[[Line, Talk, str], Heard]]] = MappingProxyType(
    {
        Keeps.NOTHING: _keep_nothing,
        Keeps.LANGUAGE: _keep_language,
        Keeps.CUSTOMER: _keep_customer,
        Keeps.ACCOUNT: _keep_account,
        Keeps.INTENT: _keep_intent,
        Keeps.DESTINATION: _keep_destination,
        Keeps.ERASURE: _keep_erasure,
        Keeps.WITHDRAWAL: _keep_withdrawal,
    }
)
