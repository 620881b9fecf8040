"""Twilio's forms to commands: a voice webhook starts a call, the terminal status of the caller's own leg ends it.

Leaves out: signatures (`signature`), which fields count (`forms`), what happens during a call (`turns`), and
everything that needs memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from adapter.engine.caller_id import read_ani
from adapter.engine.line import Line, fits
from adapter.engine.model import Distrust, HangUp, Hints, Millis, Origin, StartCall

from .forms import TERMINAL, Unusable, problem, used
from .signature import Fields


@dataclass(frozen=True, slots=True)
class Ignored:
    """A status callback that ends no call. `reason` is safe to log."""

    reason: str


_SECONDS: Final = re.compile(r"[0-9]{1,6}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Both are filled only where the carrier passes it on, with whatever it pleases (seen: 22 digits).
_FORWARDING: Final = frozenset({"ForwardedFrom", "CalledVia"})

_NUMBER_INSIDE: Final = re.compile(r"(?:sips?|tel|whatsapp):(\+[1-9][0-9]{6,14})(?=[@;]|$)")
_STATUS_SOURCE: Final = "call-progress-events"

# SHAKEN/STIR page, the values of StirVerstat.
_VERIFIED: Final = "TN-Validation-Passed-A"
# -A, -B, -C, each perhaps -Diverted or -Passthrough, and whatever is still to come: a failed one never counts.
_FAILED: Final = "TN-Validation-Failed"


def read_voice(fields: Fields) -> StartCall | Unusable:
    """The start of an inbound call. Never raises."""
    values = used(fields)
    if reason := _not_ours(fields, values):
        return Unusable(reason)
    return StartCall(values["CallSid"], _hints(fields, values), Origin.TWILIO)


def read_status(fields: Fields, now: Millis) -> HangUp | Ignored:
    """The end of an inbound call, told by its own leg. `now`: when the callback arrived. Never raises.

    `duration_seconds` is CallDuration; the field Duration counts minutes, rounded up, and is not read.
    """
    values = used(fields)
    if reason := _not_ours(fields, values) or _not_an_end(values):
        return Ignored(reason)
    seconds = values.get("CallDuration", "")
    duration = int(seconds) if _SECONDS.fullmatch(seconds) else None
    return HangUp(values["CallSid"], _hints(fields, values), _instant(values.get("Timestamp", ""), now), duration)


def tells_progress(fields: Fields) -> bool:
    """Whether it is a status callback, wherever it is sent: nobody hears the answer, and no call starts by it."""
    return used(fields).get("CallbackSource") == _STATUS_SOURCE


def line_for(lines: Iterable[Line], account_sid: str, to: str) -> Line | None:
    """The line of a call: exact account before "*", then the exact number, then the longest pattern ("+1415*" before
    "+1*" before "*"); the first of equals. Who calls by SIP or WhatsApp dials the number inside the address."""
    inside = _NUMBER_INSIDE.match(to)
    to = inside[1] if inside else to
    fitting = (line for line in lines if line.account in (account_sid, "*") and fits(line.number, to))
    return min(fitting, key=lambda line: (line.account == "*", line.number != to, -len(line.number)), default=None)


def line_of(lines: Iterable[Line], account_sid: str, key: str) -> Line | None:
    """The line that this key names in an address, if it is one of the account's."""
    return next((line for line in lines if line.key == key and line.account in (account_sid, "*")), None)


def distrust(line: Line, fields: Fields, hints: Hints) -> Distrust | None:
    """Why this call may not be greeted by name; None on lines that are not strict, and when nothing speaks against it.

    Of StirVerstat only the exact value counts, given once (Twilio's own SDKs do the same): B and C do not prove the
    right to the number, and a diverted or passed-through call was signed by somebody else.
    """
    if line.strict_caller_id and [value for name, value in fields if name == "StirVerstat"] != [_VERIFIED]:
        return Distrust.NOT_ATTESTED
    return Distrust.FORWARDED if line.strict_forwarding and hints.forwarded else None


def _not_ours(fields: Fields, values: Mapping[str, str]) -> str | None:
    """Why these fields do not speak of an inbound caller's own leg; None when they do."""
    if reason := problem(values):
        return reason
    if values.get("ParentCallSid"):
        return "child leg"
    # Outbound, From is our own number: everybody we ever called would share one memory.
    return None if values.get("Direction", "") in ("", "inbound") else "not inbound"


def _not_an_end(values: Mapping[str, str]) -> str | None:
    if values.get("CallbackSource", "") not in ("", _STATUS_SOURCE):
        return "not a status callback"
    return None if values.get("CallStatus") in TERMINAL else "not terminal"


def _hints(fields: Fields, values: Mapping[str, str]) -> Hints:
    """`dnis` is To as it came (a sip: address is fine). A number that failed validation is spoofed: no evidence.

    Nor is the number of a telephone that sent the call on: it stands there instead of the caller's.
    """
    dnis = values.get("To", "").strip() or None
    caller = read_ani(values.get("From"))
    through = {value.strip() for name, value in fields if name in _FORWARDING} - {""}
    note: str | None = caller.note
    if caller.number and values.get("StirVerstat", "").startswith(_FAILED):
        note = "caller_id_failed"
    elif caller.number in through:
        note = "caller_id_forwarded"
    return Hints(ani=None if note else caller.number, dnis=dnis, ani_note=note, forwarded=bool(through))


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
