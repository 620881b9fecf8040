"""What is sent: made and signed before the clock starts, one list of requests for each connection.

Every scenario gives each subject the same requests, apart from the key, the port and the CallSids.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from adapter.twilio.signature import sign
from tests.builders import ACCOUNT, AUTH_TOKEN
from tests.serving import caller_number, line_number

from .subjects import Subject


def voice(subject: Subject, customers: int, chooser: random.Random) -> Iterator[bytes]:
    """(a) A signed voice webhook of a returning caller."""
    while True:
        yield _webhook(subject, "voice", _sid(), caller_number(chooser.randrange(customers)), CallStatus="ringing")


def start(subject: Subject, customers: int, chooser: random.Random) -> Iterator[bytes]:
    """(b) calls/start of a returning caller."""
    while True:
        body = {"call_id": _sid(), "identity_hints": {"ani": caller_number(chooser.randrange(customers))}}
        yield _post(subject, "/v1/calls/start", body)


def end(subject: Subject, customers: int, chooser: random.Random) -> Iterator[bytes]:
    """(c) calls/end with three variables."""
    while True:
        yield _post(subject, "/v1/calls/end", _ending(_sid(), caller_number(chooser.randrange(customers)), chooser))


def day(subject: Subject, customers: int, chooser: random.Random) -> Iterator[bytes]:
    """(d) A mixed day: calls greeted, hung up and wrapped up; every fourth one comes over the API instead."""
    while True:
        sid, caller = _sid(), caller_number(chooser.randrange(customers))
        if chooser.random() < 0.25:
            yield _post(subject, "/v1/calls/start", {"call_id": sid, "identity_hints": {"ani": caller}})
        else:
            yield _webhook(subject, "voice", sid, caller, CallStatus="ringing")
            yield _webhook(subject, "status", sid, caller, CallStatus="completed", CallDuration="35")
        if chooser.random() < 0.5:
            yield _post(subject, "/v1/calls/end", _ending(sid, caller, chooser))


Scenario = Callable[[Subject, int, random.Random], Iterator[bytes]]
SCENARIOS: dict[str, Scenario] = {"a": voice, "b": start, "c": end, "d": day}


def _sid() -> str:
    """Never used before, and as random as Twilio's are: calls come in at any place of an index, not at its end."""
    return f"CA{secrets.token_hex(16)}"


def _ending(call_id: str, caller: str, chooser: random.Random) -> dict[str, object]:
    values = {name: {"value": f"{chooser.randrange(10**6)}"} for name in ("name", "plan", "city")}
    return {"call_id": call_id, "identity_hints": {"ani": caller}, "variable_updates": values}


def _webhook(subject: Subject, kind: str, sid: str, caller: str, **fields: str) -> bytes:
    form = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "Called": line_number(0),
        "Caller": caller,
        "CallerCountry": "US",
        "Direction": "inbound",
        "From": caller,
        "FromCountry": "US",
        "StirVerstat": "TN-Validation-Passed-A",
        "To": line_number(0),
        "ToCountry": "US",
        **fields,
    }
    signature = sign(f"{subject.url}/twilio/{kind}", list(form.items()), AUTH_TOKEN)
    headers = f"X-Twilio-Signature: {signature}\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8"
    return _request(subject, f"/twilio/{kind}", headers, urlencode(form).encode())


def _post(subject: Subject, path: str, body: dict[str, object]) -> bytes:
    headers = f"Authorization: Bearer {subject.key}\r\nContent-Type: application/json"
    return _request(subject, path, headers, json.dumps(body).encode())


def _request(subject: Subject, path: str, headers: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{subject.port}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
