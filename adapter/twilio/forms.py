"""A webhook's form: which of its fields are used, and whether they can be read at all.

New fields "may be added without notice" (Twilio) and SDK clients send fields of their own making, so only the fields
named here are looked at and nothing else can break anything. Their form is checked one by one, because a signature does
not cover the borders between fields. Leaves out: what the fields mean (`events`, `turns`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .signature import Fields


@dataclass(frozen=True, slots=True)
class Unusable:
    """A webhook that says nothing we can use. `reason` is safe to log."""

    reason: str


# Every request about a leg of a call (Twilio, "TwiML for Programmable Voice", request parameters; status callbacks).
LEG: Final = frozenset(
    {
        "AccountSid",
        "CallDuration",
        "CallSid",
        "CallStatus",
        "CallbackSource",
        "Direction",
        "From",
        "ParentCallSid",
        "StirVerstat",
        "Timestamp",
        "To",
    }
)
# What the action URLs of Gather, Dial, Enqueue, Connect and Record tell in addition (their pages).
TURN: Final = frozenset(
    {
        "DialBridged",
        "DialCallStatus",
        "Digits",
        "ErrorCode",
        "QueueResult",
        "RecordingDuration",
        "RecordingUrl",
        "SessionStatus",
        "SpeechResult",
        "StreamError",
    }
)
# Call resource, CallStatus. Only `completed` is usual for a number's own callback; the others follow a <Reject>.
TERMINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_USED: Final = LEG | TURN
_LONGEST_VALUE: Final = 1_024  # characters; the longest real one is a SIP address of 255
# Lone surrogates too: they cannot be stored or signed.
_UNSPEAKABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}")


def duplicated(fields: Fields) -> tuple[str, ...]:
    """The names we use that occur more than once, sorted: to be refused, as nothing says which value counts."""
    names = [name for name, _ in fields]
    if len(set(names)) == len(names):
        return ()
    counts = Counter(names)
    return tuple(sorted(name for name in _USED if counts[name] > 1))


def used(fields: Fields) -> Mapping[str, str]:
    """The values of the fields we use. Of doubled ones the last: the edge refuses them before (`duplicated`)."""
    return {name: value for name, value in fields if name in _USED}


def problem(values: Mapping[str, str]) -> str | None:
    """Why this form cannot be read as one about a call; None when it can. `values`: those `used`."""
    for name, value in values.items():
        if name in LEG and (len(value) > _LONGEST_VALUE or _UNSPEAKABLE.search(value)):
            return f"malformed: {name}"
    return None if is_call_sid(values.get("CallSid", "")) else "malformed: CallSid"


def is_call_sid(text: str) -> bool:
    """Whether it has the form of the name that Twilio gives to a leg."""
    return _CALL_SID.fullmatch(text) is not None


def cleaned(text: str, longest: int) -> str:
    """What can be kept of a text somebody said: no control characters, one space for many, at most `longest`."""
    return " ".join(_UNSPEAKABLE.sub(" ", text[: 4 * longest]).split())[:longest].rstrip()
