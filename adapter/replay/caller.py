"""Who is at the telephone: the caller, and the people who answer when a call is put through.

A caller is asked by the network in a box (`adapter.replay.phone`) and answers with the values of this module.
Leaves out: people at a terminal (`adapter.cli.simulate.command`).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, Protocol

from .transcript import Handover, Heard, Question

_KEYPAD = frozenset("0123456789*#")


class Reaction(Enum):
    """What everybody can do at any time."""

    SILENCE = "silence"
    HANG_UP = "hang up"


SILENCE: Literal[Reaction.SILENCE] = Reaction.SILENCE
HANG_UP: Literal[Reaction.HANG_UP] = Reaction.HANG_UP


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys pressed, `seconds` after the question. `hangs_up`: and gone before the answer to them is there."""

    keys: str
    hangs_up: bool = False
    seconds: float = 2.0

    def __post_init__(self) -> None:
        if not self.keys or not set(self.keys) <= _KEYPAD:
            raise ValueError(f"a telephone has the keys 0-9, * and #, not {self.keys!r}")


@dataclass(frozen=True, slots=True)
class Speech:
    """Words, as speech recognition understands them. `confidence` None: Twilio does not say it always."""

    text: str
    confidence: float | None = 0.9
    hangs_up: bool = False
    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message left at a recording. `key`: pressed at the end; `hangs_up`: ended by hanging up."""

    seconds: int = 10
    key: str = ""
    hangs_up: bool = False


class Unanswered(Enum):
    """Nobody took the call. The values are Twilio's DialCallStatus."""

    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"


BUSY, NO_ANSWER, FAILED = Unanswered.BUSY, Unanswered.NO_ANSWER, Unanswered.FAILED

Answer = Keys | Speech | Reaction
Left = Message | Reaction


class Person(Protocol):
    """Somebody with a receiver at the ear."""

    def hears(self, heard: Heard) -> Reaction | None:
        """HANG_UP to hang up while it is being said; anything else goes on listening."""
        ...

    def asked(self, question: Question) -> Answer:
        """What is pressed or said at a Gather."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered. `seconds` of talk once the two are connected, ended by the agent or by the caller."""

    agent: Person
    seconds: int = 35
    caller_ends: bool = False


Outcome = Answered | Unanswered | Literal[Reaction.HANG_UP]


class Caller(Person, Protocol):
    """The person who calls."""

    def rings(self, handover: Handover) -> Outcome:
        """What becomes of a hand-over (Dial, Enqueue, Connect). HANG_UP: the caller does not wait for it."""
        ...

    def records(self, question: Question) -> Left:
        """What is left at a Record."""
        ...


@dataclass(slots=True)
class Agent:
    """Who answers, and does this at the whisper's questions; nothing any more when it is used up."""

    answers: tuple[Answer, ...] = ()
    leaves_at_once: bool = False

    def hears(self, heard: Heard) -> Reaction | None:
        """See `Person`."""
        return HANG_UP if self.leaves_at_once else None

    def asked(self, question: Question) -> Answer:
        """See `Person`."""
        if self.leaves_at_once:
            return HANG_UP
        now, self.answers = (self.answers[0], self.answers[1:]) if self.answers else (SILENCE, ())
        return now


def answered(*answers: str | Answer, seconds: int = 35, caller_ends: bool = False) -> Answered:
    """Somebody answers, presses "1" at the whisper's question unless told otherwise, and talks."""
    given = tuple(as_answer(each) for each in answers or ("1",))
    return Answered(Agent(given), seconds, caller_ends)


def mailbox(seconds: int = 35) -> Answered:
    """A mailbox answers: it presses nothing, ever."""
    return Answered(Agent(), seconds)


def declined() -> Answered:
    """Somebody answers, hears who it is and hangs up."""
    return Answered(Agent(leaves_at_once=True))


def speech(text: str, confidence: float | None = 0.9) -> Speech:
    """Words, even where they look like keys ("1")."""
    return Speech(text, confidence)


class ScriptError(AssertionError):
    """The call went another way than the script."""


class Script:
    """A caller who follows a list, each item used for the next thing that it fits.

    Items: "12#" (keys), "refund please" (words), Keys, Speech, SILENCE, HANG_UP at questions; answered(), mailbox(),
    declined(), BUSY, NO_ANSWER, FAILED, HANG_UP when it rings; Message, SILENCE, HANG_UP at a recording. When it rings
    and no outcome is next, an agent answers and presses 1; at a recording without an item a message is left. A question
    when nothing is left: hangs up. A question when the next item is an outcome or a message: ScriptError.
    `hangs_up_hearing`: hangs up while a text with these words is said ("" : the first).
    """

    def __init__(self, *items: str | Answer | Outcome | Message, hangs_up_hearing: str | None = None) -> None:
        self._items: list[Answer | Outcome | Message] = [_item(each) for each in items]
        self._hangs_up_hearing = hangs_up_hearing

    @property
    def left(self) -> Sequence[Answer | Outcome | Message]:
        """The items that were not needed."""
        return tuple(self._items)

    def hears(self, heard: Heard) -> Reaction | None:
        """See `Person`."""
        return HANG_UP if self._hangs_up_hearing is not None and self._hangs_up_hearing in heard.text else None

    def asked(self, question: Question) -> Answer:
        """See `Person`."""
        if not self._items:
            return HANG_UP
        item = self._items.pop(0)
        if isinstance(item, Answered | Unanswered | Message):
            raise ScriptError(f"the caller is asked {question.said!r}, but the script goes on with {_named(item)}")
        return item

    def rings(self, handover: Handover) -> Outcome:
        """See `Caller`."""
        following = self._items[0] if self._items else None
        if not isinstance(following, Answered | Unanswered) and following is not HANG_UP:
            return answered()
        self._items.pop(0)
        return following

    def records(self, question: Question) -> Left:
        """See `Caller`."""
        following = self._items[0] if self._items else None
        if not isinstance(following, Message | Reaction):
            return Message()
        self._items.pop(0)
        return following


def _named(item: Answered | Unanswered | Message) -> str:
    return str(item.value) if isinstance(item, Unanswered) else type(item).__name__.lower()


def as_answer(written: str | Answer) -> Answer:
    """Text is keys if it can be, else words."""
    if not isinstance(written, str):
        return written
    return Keys(written) if written and set(written) <= _KEYPAD else Speech(written)


def _item(written: str | Answer | Outcome | Message) -> Answer | Outcome | Message:
    if isinstance(written, Answered):
        # An agent uses its answers up: a table's row that is played twice needs another one.
        return replace(written, agent=copy(written.agent))
    return as_answer(written) if isinstance(written, str) else written
