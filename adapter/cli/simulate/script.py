"""The words of `simulate`: what is typed at a telephone, or written in `--script`, as what the network understands.

Leaves out: who types it, and what is shown (`dialogue`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final

from adapter.replay import (
    BUSY,
    FAILED,
    HANG_UP,
    NO_ANSWER,
    SILENCE,
    Handover,
    Message,
    Question,
    Script,
    ScriptError,
    Speech,
    answered,
    declined,
    mailbox,
)
from adapter.replay.caller import Answer, Left, Outcome, as_answer

ANSWERED: Final = "answered"
_OUTCOMES: Final[Mapping[str, Callable[[], Outcome]]] = MappingProxyType(
    {
        ANSWERED: answered,
        "busy": lambda: BUSY,
        "no-answer": lambda: NO_ANSWER,
        "failed": lambda: FAILED,
        "decline": declined,
        "mailbox": mailbox,
        "hangup": lambda: HANG_UP,
    }
)
_SPELLINGS: Final = {"answer": ANSWERED, "no answer": "no-answer", "declined": "decline", "hang up": "hangup"}
_RINGING: Final = frozenset({"number", "sip", "client"})
_QUEUES: Final = frozenset({"queue", "enqueue", "workflow"})
# What can become of a call where no telephone rings. A queue that is full is busy; nobody in it may take the call.
_QUEUED: Final = (ANSWERED, "busy", "no-answer", "failed", "hangup")
_ELSEWHERE: Final = (ANSWERED, "failed", "hangup")
# How --help tells of all words.
WORDS: Final = (
    "At questions: keys (4711#), words, silence or hangup. When the call is put through: answered, answered:1 (who"
    " answers presses 1), busy, no-answer, failed, decline, mailbox or hangup; if nothing of it comes next, somebody"
    " answers and presses 1. At a recording: message, silence or hangup."
)


def scripted(written: str) -> Script:
    """The caller of `--script`: items between commas (`WORDS`)."""
    return Written(*(_item(item.strip()) for item in written.split(",")))


def typed(line: str) -> Answer:
    """A line at a question: nothing is silence."""
    words = line.strip()
    if words.lower() in ("", "silence"):
        return SILENCE
    return HANG_UP if words.lower() == "bye" or word_of(words) == "hangup" else as_answer(words)


def offered(kind: str) -> tuple[str, ...]:
    """What can become of a hand-over of this kind (`Handover.kind`), as words."""
    if kind in _RINGING:
        return tuple(_OUTCOMES)
    return _QUEUED if kind in _QUEUES else _ELSEWHERE


def outcome_of(written: str, among: Collection[str] = _OUTCOMES) -> Outcome | None:
    """What becomes of a hand-over, None for a word that does not say it. `answered:1`: who answers presses 1."""
    word, colon, pressed = word_of(written).partition(":")
    if word not in among or (colon and (word != ANSWERED or not pressed)):
        return None
    return answered(typed(pressed)) if colon else _OUTCOMES[word]()


def word_of(written: str) -> str:
    """The one spelling of a word that has several."""
    word = written.strip().lower()
    return _SPELLINGS.get(word, word)


def _item(written: str) -> Answer | Outcome | Message:
    if word_of(written) == "message":
        return Message()
    outcome = outcome_of(written)
    return typed(written) if outcome is None else outcome


class Written(Script):
    """A script of people, who misspell: words where they mean nothing are an error, not an answer."""

    def rings(self, handover: Handover) -> Outcome:
        """See `Caller`."""
        following = self.left[0] if self.left else None
        if isinstance(following, Speech | Message):
            word = following.text if isinstance(following, Speech) else "message"
            can = ", ".join(offered(handover.kind))
            raise ScriptError(f"the call is put through, but the script goes on with {word!r}; there it can be {can}")
        return super().rings(handover)

    def records(self, question: Question) -> Left:
        """See `Caller`. Words are the message."""
        if self.left and isinstance(self.left[0], Speech):
            self._items.pop(0)
            return Message()
        return super().records(question)
