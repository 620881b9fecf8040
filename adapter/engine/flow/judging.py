"""Which event a turn is, at each place: what the caller said or pressed, or what became of the hand-over.

Pure and total: any turn at any place gives an event that the table has a row for. Leaves out: what follows (`hearing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapter.engine.line import Confirm, Line, ProofKind
from adapter.engine.model import Millis, Outcome, Place, Talk, Turn

from .answers import account, digits, expected, is_same, is_silent, yes_or_no
from .known import Proof
from .menu import chosen
from .names import is_said, says_something
from .speaking import language_of, to_choose_from
from .table import Event


@dataclass(frozen=True, slots=True)
class Judged:
    """`value`: what was chosen or given, a customer_ref at a match, the next destination's name after an outcome."""

    event: Event
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """All there is to judge by."""

    line: Line
    talk: Talk
    turn: Turn
    proofs: Sequence[Proof]
    now: Millis

    @property
    def language(self) -> str:
        return language_of(self.line, self.talk).language


_NOT_UNDERSTOOD: Final = Judged(Event.NOT_UNDERSTOOD)
_SILENCE: Final = Judged(Event.SILENCE)
_EXPIRED: Final = Judged(Event.EXPIRED)
_MISMATCH: Final = Judged(Event.MISMATCH)

_OUTCOMES: Final[Mapping[Outcome, Event]] = MappingProxyType(
    {
        Outcome.ANSWERED: Event.ANSWERED,
        Outcome.BUSY: Event.BUSY,
        Outcome.NO_ANSWER: Event.NO_ANSWER,
        Outcome.DECLINED: Event.DECLINED,
        Outcome.FAILED: Event.FAILED,
    }
)


def judge(line: Line, talk: Talk, turn: Turn, proofs: Sequence[Proof], now: Millis) -> Judged:
    """The event that `turn` is at `talk.place`."""
    return _JUDGES[talk.place](Answered(line, talk, turn, proofs, now))


def _language(answered: Answered) -> Judged:
    if is_silent(answered.turn):
        return _SILENCE
    keyed = answered.turn.digits
    language = next((each.language for each in to_choose_from(answered.line) if each.key == keyed), None)
    return _NOT_UNDERSTOOD if language is None else Judged(Event.CHOSEN, language)


def _proof(answered: Answered) -> Judged:
    confirm = answered.line.confirm
    if confirm is None or answered.talk.locked or _is_late(answered, confirm):
        return _EXPIRED
    if is_silent(answered.turn):
        return _SILENCE
    return _name(answered) if confirm.by is ProofKind.NAME else _digits(answered, confirm)


def _is_late(answered: Answered, confirm: Confirm) -> bool:
    return answered.now - answered.talk.since > confirm.seconds * 1000


def _name(answered: Answered) -> Judged:
    speech, language = answered.turn.speech, answered.language
    if answered.turn.digits or not says_something(speech, language):
        return _NOT_UNDERSTOOD
    return _whose({p.customer_ref for p in answered.proofs if is_said(p.secret, speech, language)})


def _digits(answered: Answered, confirm: Confirm) -> Judged:
    given = digits(answered.turn, answered.language)
    # Fewer or more digits than were asked for are a slip of the finger or of the ear, not a guess.
    if not given or (confirm.by is ProofKind.DIGITS and len(given) != confirm.digits):
        return _NOT_UNDERSTOOD
    return _whose({p.customer_ref for p in answered.proofs if is_same(given, expected(confirm, p.secret))})


def _whose(customers: set[str]) -> Judged:
    """Two people on one number with the same name or PIN are told apart by nothing we know: their answer is a try
    like one that was not understood, right for both and wrong for neither, and in the end nobody is verified."""
    if len(customers) > 1:
        return _NOT_UNDERSTOOD
    return Judged(Event.MATCH, customers.pop()) if customers else _MISMATCH


def _account(answered: Answered) -> Judged:
    identify = answered.line.identify
    if identify is None or is_silent(answered.turn):
        return _SILENCE
    value = account(answered.turn, identify.length, answered.language)
    return Judged(Event.GIVEN, value) if value else _NOT_UNDERSTOOD


def _offer(answered: Answered) -> Judged:
    if is_silent(answered.turn) or not answered.talk.offered:
        return _SILENCE
    yes = yes_or_no(answered.turn, answered.language)
    if yes is None:
        return _NOT_UNDERSTOOD
    return Judged(Event.YES, answered.talk.offered[-1]) if yes else Judged(Event.NO)


def _menu(answered: Answered) -> Judged:
    menu = answered.line.menu
    if menu is None or is_silent(answered.turn):
        return _SILENCE
    intent = chosen(answered.line, menu, answered.turn, answered.language)
    return Judged(Event.CHOSEN, intent) if intent else _NOT_UNDERSTOOD


def _forget(answered: Answered) -> Judged:
    """Without a proof (an agent found out meanwhile that it is somebody else) there is nobody to forget."""
    if answered.line.forget is None or not answered.proofs:
        return _EXPIRED
    if is_silent(answered.turn):
        return _SILENCE
    yes = yes_or_no(answered.turn, answered.language)
    if yes is None:
        return _NOT_UNDERSTOOD
    return Judged(Event.YES, answered.proofs[0].customer_ref) if yes else Judged(Event.NO, answered.line.forget.intent)


def _outcome(answered: Answered) -> Judged:
    outcome = answered.turn.outcome
    if outcome is None:
        return _SILENCE
    after = answered.line.destination_named(answered.talk.destination).after
    return Judged(_OUTCOMES[outcome], after.get(outcome))


def _message(answered: Answered) -> Judged:
    return Judged(Event.RECORDED) if answered.turn.recorded else _SILENCE


def _nothing(answered: Answered) -> Judged:
    return _SILENCE


_JUDGES: Final[Mapping[Place, Callable[[Answered], Judged]]] = MappingProxyType(
    {
        Place.LANGUAGE: _language,
        Place.WHO: _proof,
        Place.IDENTIFY: _account,
        Place.CONFIRM: _proof,
        Place.OFFER: _offer,
        Place.MENU: _menu,
        Place.FORGET: _forget,
        Place.HANDED_OVER: _outcome,
        Place.VOICEMAIL: _message,
        Place.OVER: _nothing,
    }
)
