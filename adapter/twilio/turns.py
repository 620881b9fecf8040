"""Twilio's forms in the middle of a call: what the caller did, what became of a hand-over, and who asks for a whisper.

Whoever speaks must never be cut off for how it was transcribed, so values are cleaned here, not refused.
Leaves out: starts and ends of calls (`events`), which fields count (`forms`), and what follows (`engine.flow`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapter.engine.model import Outcome, Turn

from .forms import TERMINAL, Unusable, cleaned, is_call_sid, problem, used
from .signature import Fields


@dataclass(frozen=True, slots=True)
class Whispering:
    """Somebody answered a hand-over of the call `call_id`."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The caller hung up before anybody took the call: nobody waits for an answer, and nothing has become of it yet."""


_MOST_KEYS: Final = 64  # an account number is 64 characters at most
_LONGEST_SPEECH: Final = 500  # characters; the conversation looks at no more (`engine.flow.words`)
_NOT_A_KEY: Final = re.compile("[^0-9*#]")
_NOTHING: Final = re.compile(r"0+")  # seconds

# Dial, "DialCallStatus". `completed` proves no conversation: a mailbox and a declined whisper complete, too, and only
# DialBridged tells. A cancelled call rang and nobody came. `answered` is a conference's.
_DIALED: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "completed": Outcome.ANSWERED,
        "answered": Outcome.ANSWERED,
        "busy": Outcome.BUSY,
        "no-answer": Outcome.NO_ANSWER,
        "canceled": Outcome.NO_ANSWER,
        "failed": Outcome.FAILED,
    }
)
# Enqueue, "QueueResult". Somebody who redirects a waiting call has taken it over.
_QUEUED: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "bridged": Outcome.ANSWERED,
        "bridging-in-process": Outcome.ANSWERED,
        "redirected": Outcome.ANSWERED,
        "redirected-from-bridged": Outcome.ANSWERED,
        "hangup": Outcome.NO_ANSWER,
        "leave": Outcome.NO_ANSWER,
        "queue-full": Outcome.BUSY,
        "error": Outcome.FAILED,
        "system-error": Outcome.FAILED,
    }
)


def read_turn(fields: Fields, number: int) -> Turn | Gone | Unusable:
    """What happened since the step whose answers carry `number`. Never raises. Neither keys nor words nor an outcome:
    the caller was silent. CallStatus is the caller's own leg's: it says nothing but whether the caller is still there.
    """
    values = used(fields)
    if reason := problem(values):
        return Unusable(reason)
    if values.get("ParentCallSid"):
        return Unusable("child leg")
    turn = _turn(values, values["CallSid"], number)
    unanswered = turn.outcome is not None and turn.outcome is not Outcome.ANSWERED
    # Else a caller who is cut off while it rings would be promised to be called back, and not be taken up again.
    return Gone() if unanswered and values.get("CallStatus") in TERMINAL else turn


def read_turn_of_nobody(fields: Fields) -> Turn:
    """The same of a form that names no call: enough to know whether somebody was rung already. Never raises."""
    return _turn(used(fields), "", 0)


def read_whisper(fields: Fields) -> Whispering | Unusable:
    """Which call's hand-over was answered: a whisper's own leg is new, the caller's is its parent. Never raises."""
    values = used(fields)
    if reason := problem(values):
        return Unusable(reason)
    if not is_call_sid(values.get("ParentCallSid", "")):
        return Unusable("malformed: ParentCallSid")
    return Whispering(values["ParentCallSid"])


def _turn(values: Mapping[str, str], call_id: str, number: int) -> Turn:
    if (outcome := _outcome(values)) is not None:
        return Turn(call_id, number, outcome=outcome)
    if values.get("RecordingUrl"):
        # Digits is the key that ended the recording here, or "hangup"; it answers nothing.
        return Turn(call_id, number, recorded=not _NOTHING.fullmatch(values.get("RecordingDuration", "")))
    return Turn(call_id, number, _keys(values), cleaned(values.get("SpeechResult", ""), _LONGEST_SPEECH))


def _keys(values: Mapping[str, str]) -> str:
    return _NOT_A_KEY.sub("", values.get("Digits", "")[: 4 * _MOST_KEYS])[:_MOST_KEYS]


def _outcome(values: Mapping[str, str]) -> Outcome | None:
    """What became of a hand-over, None when this is not about one. What we do not know has failed: somebody must take
    the call."""
    if dialed := values.get("DialCallStatus"):
        if dialed == "completed" and values.get("DialBridged") == "false":
            return Outcome.DECLINED
        return _DIALED.get(dialed, Outcome.FAILED)
    if queued := values.get("QueueResult"):
        return _QUEUED.get(queued, Outcome.FAILED)
    if "SessionStatus" in values or "StreamError" in values:
        return Outcome.FAILED if _broke(values) else Outcome.ANSWERED
    return None


def _broke(values: Mapping[str, str]) -> bool:
    """ConversationRelay tells `failed` and why (ErrorCode); every other end is one that somebody wanted."""
    failed = values.get("SessionStatus") == "failed"
    return failed or bool(values.get("ErrorCode") or values.get("StreamError"))
