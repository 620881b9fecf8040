"""The conversation's transitions, as data: what an event at a place leads to.

Leaves out: which event a turn is (`judging`), and which place comes next (`places`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapter.engine.model import Place


class Event(StrEnum):
    """What a caller did at a question, or what became of a hand-over."""

    CHOSEN = "chosen"
    MATCH = "match"
    MISMATCH = "mismatch"
    GIVEN = "given"
    YES = "yes"
    NO = "no"
    NOT_UNDERSTOOD = "not understood"
    SILENCE = "silence"
    EXPIRED = "expired"
    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    DECLINED = "declined"
    FAILED = "failed"
    RECORDED = "recorded"


class Then(StrEnum):
    """What happens to the place.

    `done`: it is done with. `again`: a try is used up, the same is asked again while tries are left, then it is given
    up. `given_up`: it is done with; who answered wrongly is refuted, who kept silent is not: silence proves nothing.
    `further`: it goes on with its next question (the next offer, the next destination), if there is one. `over`: the
    conversation is over.
    """

    DONE = "done"
    AGAIN = "again"
    GIVEN_UP = "given_up"
    FURTHER = "further"
    OVER = "over"


class Keeps(StrEnum):
    """What the event's value is kept as."""

    NOTHING = "nothing"
    LANGUAGE = "language"
    CUSTOMER = "customer"
    ACCOUNT = "account"
    INTENT = "intent"
    DESTINATION = "destination"
    ERASURE = "erasure"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True)
class Move:
    """`wrong`: it counts as a wrong answer, at the question and towards the number's lock-out."""

    then: Then
    keeps: Keeps = Keeps.NOTHING
    wrong: bool = False


_AGAIN: Final = Move(Then.AGAIN)
_DONE: Final = Move(Then.DONE)
_CHOSEN: Final = Move(Then.DONE, Keeps.INTENT)
_NEXT_DESTINATION: Final = Move(Then.FURTHER, Keeps.DESTINATION)

_MOVES: Final[Mapping[Place, Mapping[Event, Move]]] = {
    Place.LANGUAGE: {
        Event.CHOSEN: Move(Then.DONE, Keeps.LANGUAGE),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
    },
    Place.WHO: {
        Event.MATCH: Move(Then.DONE, Keeps.CUSTOMER),
        Event.MISMATCH: Move(Then.AGAIN, wrong=True),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
        Event.EXPIRED: Move(Then.GIVEN_UP),
    },
    Place.IDENTIFY: {
        Event.GIVEN: Move(Then.DONE, Keeps.ACCOUNT),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
    },
    Place.CONFIRM: {
        Event.MATCH: Move(Then.DONE, Keeps.CUSTOMER),
        Event.MISMATCH: Move(Then.AGAIN, wrong=True),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
        Event.EXPIRED: Move(Then.GIVEN_UP),
    },
    Place.OFFER: {
        Event.YES: _CHOSEN,
        Event.NO: Move(Then.FURTHER),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
    },
    Place.MENU: {
        Event.CHOSEN: _CHOSEN,
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
    },
    Place.FORGET: {
        Event.YES: Move(Then.OVER, Keeps.ERASURE),
        Event.NO: Move(Then.DONE, Keeps.WITHDRAWAL),
        Event.NOT_UNDERSTOOD: _AGAIN,
        Event.SILENCE: _AGAIN,
        Event.EXPIRED: Move(Then.GIVEN_UP),
    },
    Place.HANDED_OVER: {
        Event.ANSWERED: _DONE,
        Event.BUSY: _NEXT_DESTINATION,
        Event.NO_ANSWER: _NEXT_DESTINATION,
        Event.DECLINED: _NEXT_DESTINATION,
        Event.FAILED: _NEXT_DESTINATION,
        # A webhook without an outcome: who knows what it was, nobody is rung because of it.
        Event.SILENCE: _DONE,
    },
    Place.VOICEMAIL: {
        Event.RECORDED: _DONE,
        Event.SILENCE: Move(Then.FURTHER),
    },
    Place.OVER: {
        Event.SILENCE: _DONE,
    },
}

TABLE: Final[Mapping[tuple[Place, Event], Move]] = MappingProxyType(
    {(place, event): move for place, moves in _MOVES.items() for event, move in moves.items()}
)
