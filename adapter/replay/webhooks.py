"""Builders of single webhooks, as Twilio sends them in an inbound call (Twilio, "TwiML for Programmable Voice").

    call = Call(caller="+14155550123", dialed="+14155550100")
    voice(call, account), pressed(call, account, 1, "2"), said(call, account, 1, "refund"), ended(call, account)

Leaves out: sending them (`exchange`), and whole calls (`phone`).
"""

from __future__ import annotations

from collections.abc import Mapping

from adapter.replay.recording import Recorded

from .phone import Call


def voice(call: Call, account: str, **fields: str) -> Recorded:
    """A call comes in. `fields`: further ones, which win over the usual ones; so in all of these."""
    return _webhook("voice", call, account, {}, fields)


def pressed(call: Call, account: str, turn: int, keys: str, **fields: str) -> Recorded:
    """Keys pressed at the question that asked for this turn."""
    return _webhook(f"turn/{turn}", call, account, {"CallStatus": "in-progress", "Digits": keys}, fields)


def said(call: Call, account: str, turn: int, words: str, **fields: str) -> Recorded:
    """Words said there, as they were understood."""
    told = {"CallStatus": "in-progress", "SpeechResult": words, "Confidence": "0.9"}
    return _webhook(f"turn/{turn}", call, account, told, fields)


def put_through(call: Call, account: str, turn: int, status: str, **fields: str) -> Recorded:
    """What became of a Dial: completed, busy, no-answer, failed or canceled."""
    told = {"CallStatus": "in-progress", "DialCallStatus": status, "DialCallSid": f"CA{'d' * 32}"}
    return _webhook(f"turn/{turn}", call, account, told, fields)


def ended(call: Call, account: str, status: str = "completed", seconds: int = 35, **fields: str) -> Recorded:
    """The status callback when the call is over."""
    told = {"CallStatus": status, "CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
    return _webhook(
        "status", call, account, {**told, "CallbackSource": "call-progress-events", "SequenceNumber": "0"}, fields
    )


def _webhook(address: str, call: Call, account: str, told: Mapping[str, str], more: Mapping[str, str]) -> Recorded:
    fields = {**call.fields(account), **told, **more}
    return Recorded("POST", f"/twilio/{address}", tuple(fields.items()))
