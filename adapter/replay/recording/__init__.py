"""Recordings of webhooks: JSON Lines, one webhook a line, version 1.

    {"recording": 1,                                     the format's version, in every line: a file that was cut,
                                                         rotated or put together from several stays readable
     "at": "2026-02-07T10:30:00.000Z",                   when it arrived, UTC; null when the source did not tell
     "method": "POST", "path": "/twilio/voice",          as it came over the wire, the query of a POST with it
     "fields": [["CallSid", "CA…"], ["From", "+1…"]],    the form of a POST or the query of a GET, in order
     "headers": {"user-agent": "TwilioProxy/1.1"},       chosen ones, names in lower case
     "answer": {"status": 200, "type": "text/xml; charset=utf-8", "body": "<Response/>"},     null: not known
     "receipt": {"recommendation": "reuse", "confidence": 0.5, "rules": ["ani.known"], "place": "menu",
                 "step": "ask", "destination": "billing", …},                                 null: none
     "name": "first_call"}                               what the source calls it; absent when it does not

A request to the REST API has, instead of fields, what was sent and whose API key it was (never the key):

     "path": "/v1/calls/end", "sent": {"call_id": …}, "key": {"organization": "default", "mode": "prod"}

Newer versions may add keys to version 1; unknown ones are read over. Personal data is replaced before anything is
written (`adapter.replay.pseudonyms`), and secrets (CallToken, signatures, cookies) are never in a line.
A recording is `calls.jsonl`, then older `calls.jsonl.1`, `.2` …; `parts` names them in order of time.
"""

from .files import RotatingFile, held, is_at, parts
from .lines import VERSION, line_of, recorded_of
from .reader import Broken, read, read_stream
from .recorder import Recorder
from .values import Answer, Pairs, Receipt, Recorded, kind_of

__all__ = [
    "VERSION",
    "Answer",
    "Broken",
    "Pairs",
    "Receipt",
    "Recorded",
    "Recorder",
    "RotatingFile",
    "held",
    "is_at",
    "kind_of",
    "line_of",
    "parts",
    "read",
    "read_stream",
    "recorded_of",
]
