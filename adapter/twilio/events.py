"""Twilio's forms to commands: a voice webhook starts a call, the terminal status of the caller's own leg ends it.

New fields "may be added without notice" (Twilio) and SDK clients send fields of their own making, so only the fields
named here are looked at and nothing else can break anything. Their form is checked one by one, because a signature does
not cover the borders between fields. Leaves out: signatures (`signature`), and everything that needs memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from adapter.engine.caller_id import read_ani
from adapter.engine.line import Line
from adapter.engine.model import Distrust, HangUp, Hints, Millis, Origin, StartCall

from .signature import Fields


@dataclass(frozen=True, slots=True)
class Unusable:
    """A voice webhook that starts no call: the caller hears the neutral text. `reason` is safe to log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A status callback that ends no call. `reason` is safe to log."""

    reason: str


_USED: Final = frozenset(
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
_LONGEST_VALUE: Final = 1_024  # characters; the longest real one is a SIP address of 255
# Lone surrogates too: they cannot be stored or signed.
_UNSPEAKABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}")
_SECONDS: Final = re.compile(r"[0-9]{1,6}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Call resource, CallStatus. Only `completed` is usual for a number's own callback; the others follow a <Reject>.
_TERMINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_STATUS_SOURCE: Final = "call-progress-events"

# SHAKEN/STIR page, the values of StirVerstat.
_VERIFIED: Final = "TN-Validation-Passed-A"
_FAILED: Final = frozenset(
    {"TN-Validation-Failed"}
    | {f"TN-Validation-Failed-{level}{way}" for level in "ABC" for way in ("", "-Diverted", "-Passthrough")}
)


def read_voice(fields: Fields) -> StartCall | Unusable:
    """The start of an inbound call. Never raises."""
    values = _used(fields)
    if problem := _problem(fields, values):
        return Unusable(problem)
    return StartCall(values["CallSid"], _hints(values), Origin.TWILIO)


def read_status(fields: Fields, now: Millis) -> HangUp | Ignored:
    """The end of an inbound call, told by its own leg. `now`: when the callback arrived. Never raises.

    `duration_seconds` is CallDuration; the field Duration counts minutes, rounded up, and is not read.
    """
    values = _used(fields)
    if problem := _problem(fields, values) or _not_an_end(values):
        return Ignored(problem)
    seconds = values.get("CallDuration", "")
    duration = int(seconds) if _SECONDS.fullmatch(seconds) else None
    return HangUp(values["CallSid"], _hints(values), _instant(values.get("Timestamp", ""), now), duration)


def duplicated(fields: Fields) -> tuple[str, ...]:
    """The names we use that occur more than once, sorted: to be refused, as nothing says which value counts."""
    counts = Counter(name for name, _ in fields)
    return tuple(sorted(name for name in _USED if counts[name] > 1))


def line_for(lines: Iterable[Line], account_sid: str, to: str) -> Line | None:
    """The line of a call: exact account before "*", then exact number before "*"; the first of equals."""
    fitting = (line for line in lines if line.account in (account_sid, "*") and line.number in (to, "*"))
    return min(fitting, key=lambda line: (line.account == "*", line.number == "*"), default=None)


def distrust(line: Line, fields: Fields, hints: Hints) -> Distrust | None:
    """Why this call may not be greeted by name; None on lines that are not strict, and when nothing speaks against it.

    Of StirVerstat only the exact value counts, given once (Twilio's own SDKs do the same): B and C do not prove the
    right to the number, and a diverted or passed-through call was signed by somebody else.
    """
    if line.strict_caller_id and [value for name, value in fields if name == "StirVerstat"] != [_VERIFIED]:
        return Distrust.NOT_ATTESTED
    return Distrust.FORWARDED if line.strict_forwarding and hints.forwarded else None


def _used(fields: Fields) -> Mapping[str, str]:
    return {name: value for name, value in fields if name in _USED}


def _problem(fields: Fields, values: Mapping[str, str]) -> str | None:
    """Why these fields do not speak of an inbound caller's own leg; None when they do."""
    if doubled := duplicated(fields):
        return f"duplicated: {', '.join(doubled)}"
    for name, value in values.items():
        if len(value) > _LONGEST_VALUE or _UNSPEAKABLE.search(value):
            return f"malformed: {name}"
    if not _CALL_SID.fullmatch(values.get("CallSid", "")):
        return "malformed: CallSid"
    if values.get("ParentCallSid"):
        return "child leg"
    # Outbound, From is our own number: everybody we ever called would share one memory.
    return None if values.get("Direction", "") in ("", "inbound") else "not inbound"


def _not_an_end(values: Mapping[str, str]) -> str | None:
    if values.get("CallbackSource", "") not in ("", _STATUS_SOURCE):
        return "not a status callback"
    return None if values.get("CallStatus") in _TERMINAL else "not terminal"


def _hints(values: Mapping[str, str]) -> Hints:
    """`dnis` is To as it came (a sip: address is fine). A number that failed validation is spoofed: no evidence."""
    dnis = values.get("To", "").strip() or None
    caller = read_ani(values.get("From"))
    if caller.number and values.get("StirVerstat") in _FAILED:
        return Hints(dnis=dnis, ani_note="caller_id_failed")
    return Hints(ani=caller.number, dnis=dnis, ani_note=caller.note)


def _instant(timestamp: str, now: Millis) -> Millis:
    """RFC 2822 to epoch milliseconds, at most `now`: a Twilio clock ahead of ours must not end a call in the future."""
    try:
        moment = parsedate_to_datetime(timestamp)
        # "-0000" gives a naive time, and means UTC.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = int((aware - _EPOCH).total_seconds()) * 1_000
    except (ValueError, TypeError, OverflowError, IndexError):
        return now
    return min(at, now) if at > 0 else now
