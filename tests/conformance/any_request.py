"""Requests of any form, and what every answer to one must be: no 5xx, JSON to the API, TwiML to Twilio."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, quote, urlencode

from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from adapter.twilio.signature import sign
from tests.builders import AUTH_TOKEN, DIALED, PUBLIC_URL, a_line, call_sid, issue_key
from tests.conformance.wire import Fields, a_call, an_app, ask, is_json, is_twiml

OTHER_CALLER = "+14155550124"
PATHS = (
    "/twilio/voice",
    "/twilio/status",
    "/twilio/fallback",
    "/twilio/turn/0",
    "/twilio/turn/1",
    f"/twilio/whisper/{a_line().key}/1",
    f"/twilio/whisper/{a_line().key}/1/answer",
    "/v1/calls/start",
    "/v1/calls/end",
    "/v1/calls/" + call_sid(1),
    "/v1/calls/" + call_sid(1) + "/identity",
    "/v1/customers/00000000-0000-4000-8000-000000000001",
    "/v1/customers/nobody",
    "/v1/health",
    "/v1/openapi.json",
)
text = st.text(max_size=40)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
numbers = (
    st.sampled_from(["+14155550123", OTHER_CALLER, "", "anonymous", "+266696687", "sip:a@b", "0", "+1" * 50]) | text
)
forms = st.dictionaries(
    st.sampled_from(
        (
            *("From", "To", "CallStatus", "Direction", "ParentCallSid", "StirVerstat", "Timestamp", "CallDuration"),
            *("Digits", "SpeechResult", "DialCallStatus", "QueueResult", "SessionStatus", "RecordingUrl"),
            *("ForwardedFrom", "DialBridged", "RecordingDuration"),
        )
    )
    | text,
    numbers | st.sampled_from(["completed", "inbound", "ringing", "35", "Sat, 08 Aug 2020 03:26:02 +0000", DIALED]),
    max_size=6,
).map(lambda given: list({**dict(a_call(1)), **given}.items()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["call_id", "identity_hints", "customer_ref", "intent", "intent_status", "variables", "intent_updates"]
NAMES += ["variable_updates", "telco", "verdict", "ani", "external_ids", "dnis", "line_type"]
documents = st.dictionaries(st.sampled_from(NAMES) | text, json_values, max_size=5).map(
    lambda given: {"call_id": call_sid(1), "identity_hints": {"ani": "+14155550123"}, **given}
)
bodies = (
    st.binary(max_size=200)
    | forms.map(lambda fields: urlencode(_encodable(fields)).encode())
    | documents.map(lambda document: json.dumps(document).encode())
    | json_values.map(lambda value: json.dumps(value).encode())
)
# Most requests knock at a door that is there, with a method it knows and a key that fits: the others end early.
wild = st.builds(lambda path, more: path + quote(more, safe="/%?;"), st.sampled_from([*PATHS, "/"]), text)
paths = st.one_of(st.sampled_from(PATHS), st.sampled_from(PATHS), st.sampled_from(PATHS), wild)
queries = st.just("") | forms.map(lambda fields: urlencode(_encodable(fields))) | header_values.map(quote)
methods = st.sampled_from(["POST", "GET"] * 6 + ["DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW", "get"])
mostly = st.sampled_from([True, True, True, True, False])
HEADERS = [
    "Content-Type",
    "Idempotency-Key",
    "Host",
    "Content-Length",
    "Accept",
    "X-Forwarded-Proto",
    "Range",
    "Cookie",
]
extra_headers = st.dictionaries(
    st.sampled_from(HEADERS),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "7"])
    | header_values,
    max_size=3,
)


def _encodable(fields: Fields) -> list[tuple[str, str]]:
    return [
        (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode()) for name, value in fields
    ]


def send(requests: int, number: int | None = None) -> None:
    """So many of them to an app of their own. Raises AssertionError with the smallest that is answered wrongly.

    `number`: the seed; None: the profile's.
    """

    @settings(max_examples=requests, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        method=methods,
        path=paths,
        query=queries,
        body=bodies,
        headers=extra_headers,
        has_key=mostly,
        is_signed=mostly,
    )
    def one(
        method: str, path: str, query: str, body: bytes, headers: dict[str, str], has_key: bool, is_signed: bool
    ) -> None:
        sent = {**headers, **({"Authorization": f"Bearer {key}"} if has_key else {})}
        _judge(app, method, f"{path}?{query}" if query else path, body, sent, is_signed)

    with TemporaryDirectory() as folder, an_app(Path(folder)) as app:
        key = issue_key(app)
        (one if number is None else seed(number)(one))()


def _judge(app: Flask, method: str, target: str, body: bytes, headers: dict[str, str], is_signed: bool) -> None:
    if is_signed:
        headers["X-Twilio-Signature"] = _signature(method, target, body)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    reply = ask(app, method, target, body, **headers)
    assert reply.status < 500, reply
    if target.startswith("/twilio/") and reply.status == 200 and method != "OPTIONS":
        assert is_twiml(reply, method), reply
    if target.startswith("/v1/") and reply.status != 204:
        assert is_json(reply, method), reply


def _signature(method: str, target: str, body: bytes) -> str:
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if method == "POST" else []
    return sign(f"{PUBLIC_URL}{target}", fields, AUTH_TOKEN)
