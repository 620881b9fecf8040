"""The conversation of a call as remembered between webhooks, and what a webhook brings to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .words import Millis


class Place(StrEnum):
    """Where a conversation stands: which question was asked last, or what has become of the call."""

    LANGUAGE = "language"
    WHO = "who"
    IDENTIFY = "identify"
    CONFIRM = "confirm"
    OFFER = "offer"
    MENU = "menu"
    FORGET = "forget"
    HANDED_OVER = "handed_over"
    VOICEMAIL = "voicemail"
    OVER = "over"


class Outcome(StrEnum):
    """What became of a hand-over. `answered`: somebody talked with the caller. `declined`: somebody (or a mailbox) took
    the call and did not accept it."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Turn:
    """One webhook of a call that is going on: the answer to the step numbered `number`.

    `digits` and `speech` are what the caller did ("" nothing); `outcome` what became of a hand-over; `recorded`: a
    message was left.
    """

    call_id: str
    number: int
    digits: str = ""
    speech: str = ""
    outcome: Outcome | None = None
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation's state, kept with its call.

    `turn`: the number that the answer to the last step carries. `tries`: answers used up at this place, `wrong` of them
    wrong ones; `since`: when the place was first come to. `visited`: questions that are done with. `language`: chosen
    or remembered, "" the line's own. `intent`: what the call is about. `offered`: intents asked about already.
    `opened`: intents this call opens if nobody says otherwise (they count when it ends), `settled` once they were
    written. `destination`: the name of where the call was handed to last, `tried`: all of these names.
    `attempt_of`: the call whose attempt this one goes on with (a dropped call), "" for its own. `presented`: the
    external id the caller named in this call. `locked`: too many wrong answers, nobody is verified in this call.
    `carried`: intents that the call which this one goes on with had opened, the last what it was about. They are among
    `opened` here only while this caller may hear them.
    `counted`: intents that this call, or the one it goes on with, has had its word on: it counts each once, whatever
    other calls say of them meanwhile.
    `unproved`: who was probably calling had a proof to give and has not given it; until then what the call opens and
    what it `learned` (variable, value) is nobody's memory.
    """

    place: Place
    turn: int = 1
    tries: int = 0
    wrong: int = 0
    since: Millis = 0
    visited: tuple[Place, ...] = ()
    language: str = ""
    intent: str = ""
    offered: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    settled: bool = False
    counted: tuple[str, ...] = ()
    destination: str = ""
    tried: tuple[str, ...] = ()
    attempt_of: str = ""
    presented: tuple[str, str] | None = None
    locked: bool = False
    carried: tuple[str, ...] = ()
    unproved: bool = False
    learned: tuple[tuple[str, str], ...] = ()
