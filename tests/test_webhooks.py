"""Twilio's webhooks as Twilio sends them: recorded, signed, forged, doubled, by GET, from other accounts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from adapter.config import Config, TwilioAccount
from adapter.twilio.signature import sign
from tests import databases
from tests.builders import (
    ACCOUNT,
    AGENTS,
    AUTH_TOKEN,
    PUBLIC_URL,
    Api,
    a_config,
    a_line,
    a_twilio,
    an_organization,
    call_sid,
    issue_key,
)
from tests.conformance.wire import a_call, an_app, ask, got, posted, puts_through, speech, stored

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "recordings" / "payloads.jsonl").read_text("utf-8").splitlines()
]
# The recordings whose fields speak of an inbound caller's own leg under a CallSid that was not blacked out.
STARTING = {
    "incoming_us_stir_a_2025",
    "incoming_au_to_us_stir_c_addons",
    "incoming_us_callername_blank_2020",
    "incoming_withheld_266696687",
    "gather_digits_post_in",
    "gather_speech_synthetic",
    "dial_action_no_answer",
}
ENDING = {"status_inbound_completed_same_call_2020"}
SUB_ACCOUNT, SUB_TOKEN, SUB_DIALED = "AC" + "b" * 32, "token-of-the-sub-account", "+14155550101"
recorded = pytest.mark.parametrize("recording", RECORDED, ids=[each["name"] for each in RECORDED])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Recordings come from many accounts and numbers, most of them blacked out: any of them is the tests' line."""
    accounts = (TwilioAccount("*", (AUTH_TOKEN,)),)
    return a_config(tmp_path, lines=(a_line(account="*", number="*"),), twilio=a_twilio(*accounts))


# Recordings


@recorded
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_every_recorded_webhook_is_answered_as_twilio_expects(
    app: Flask, recording: dict[str, Any], method: str
) -> None:
    fields = list(recording["params"].items())
    kind = "status" if recording["kind"] == "status" else "voice"
    reply = posted(app, kind, fields) if method == "POST" else got(app, kind, urlencode(fields))
    if kind == "status":
        assert (reply.status, reply.body) == (204, b"")
    else:
        assert speech(reply)
        assert puts_through(reply)


@recorded
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_recorded_webhook_without_the_right_signature_is_refused(
    app: Flask, tmp_path: Path, recording: dict[str, Any], method: str
) -> None:
    fields = list(recording["params"].items())
    kind = "status" if recording["kind"] == "status" else "voice"
    before = stored(tmp_path)
    for signature in ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", sign(f"{PUBLIC_URL}/twilio/{kind}", fields[1:], AUTH_TOKEN)):
        if method == "POST":
            reply = posted(app, kind, fields, signature=signature)
        else:
            reply = ask(app, "GET", f"/twilio/{kind}?{urlencode(fields)}", **{"X-Twilio-Signature": signature})
        assert reply.status == 403
    assert stored(tmp_path) == before


@recorded
def test_only_an_inbound_callers_own_leg_starts_or_ends_a_call(
    app: Flask, tmp_path: Path, recording: dict[str, Any]
) -> None:
    kind = "status" if recording["kind"] == "status" else "voice"
    posted(app, kind, list(recording["params"].items()))
    assert databases.count(tmp_path, "customers") == (recording["name"] in STARTING)
    assert databases.count(tmp_path, "calls") == (recording["name"] in STARTING | ENDING)
    assert databases.count(tmp_path, "usage") == (recording["name"] in STARTING | ENDING)


@pytest.mark.parametrize("kind", ["voice", "turn/1", "stauts"])
def test_a_status_callback_ends_its_call_wherever_it_is_sent(app: Flask, kind: str) -> None:
    """One URL may serve both: CallbackSource tells them apart (Twilio facts, status callbacks)."""
    api = Api(app.test_client(), issue_key(app))
    told = {"CallStatus": "completed", "CallbackSource": "call-progress-events"}
    posted(app, "voice", a_call(1))
    assert posted(app, kind, a_call(1, **told)).status == 204
    assert "hung_up" in [each["event"] for each in api.call(call_sid(1)).json["timeline"]]
    assert posted(app, kind, a_call(2, **{**told, "CallStatus": "ringing"})).status == 204
    assert api.call(call_sid(2)).status_code == 404, "it starts none"


@pytest.mark.parametrize("kind", ["voice", "status"])
@pytest.mark.parametrize("status", ["initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed"])
def test_a_child_leg_changes_nothing(app: Flask, tmp_path: Path, kind: str, status: str) -> None:
    posted(app, "voice", a_call(1))
    before = stored(tmp_path)
    leg = {"ParentCallSid": call_sid(1), "Direction": "outbound-dial", "CallStatus": status, "To": AGENTS}
    assert posted(app, kind, a_call(2, **leg)).status in (200, 204)
    same_sid = {**leg, "ParentCallSid": call_sid(9)}
    assert posted(app, kind, a_call(1, **same_sid)).status in (200, 204)
    assert stored(tmp_path) == before


@pytest.mark.parametrize(
    "withheld", ["anonymous", "+266696687", "Restricted", "+7378742833", "+17378742833", "+86282452253", "unknown", ""]
)
def test_withheld_callers_share_no_memory(app: Flask, tmp_path: Path, withheld: str) -> None:
    api = Api(app.test_client(), issue_key(app))
    refs = []
    for number in (1, 2):
        posted(app, "voice", a_call(number, withheld))
        refs.append(api.call(call_sid(number)).json["customer_ref"])
        assert api.end(call_sid(number), customer_ref=refs[-1], variables={"name": "Maria"}).status_code == 200
    assert refs[0] != refs[1]
    assert "Maria" not in speech(posted(app, "voice", a_call(3, withheld)))
    assert databases.count(tmp_path, "numbers") == 0


def test_a_failed_caller_id_is_no_evidence(app: Flask) -> None:
    api = Api(app.test_client(), issue_key(app))
    posted(app, "voice", a_call(1))
    ref = api.call(call_sid(1)).json["customer_ref"]
    posted(app, "voice", a_call(2, StirVerstat="TN-Validation-Failed-A"))
    spoofed = api.call(call_sid(2)).json
    assert spoofed["customer_ref"] != ref
    assert (spoofed["ani"], spoofed["identity"]["confidence"]) == (None, 0)


# Accounts and tokens


def with_sub_account() -> dict[str, Any]:
    accounts = (TwilioAccount(ACCOUNT, (AUTH_TOKEN,)), TwilioAccount(SUB_ACCOUNT, (SUB_TOKEN,)))
    other = a_line(account=SUB_ACCOUNT, number=SUB_DIALED, organization="globex")
    return {"twilio": a_twilio(*accounts), "lines": (a_line(), other)}


def test_each_account_signs_with_its_own_token(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(), an_organization("globex"), **with_sub_account()) as app:
        sub = a_call(1, AccountSid=SUB_ACCOUNT, To=SUB_DIALED)
        assert puts_through(posted(app, "voice", sub, SUB_TOKEN))
        assert posted(app, "voice", sub, AUTH_TOKEN).status == 403
        assert posted(app, "voice", a_call(2), SUB_TOKEN).status == 403
        assert posted(app, "voice", a_call(2, AccountSid="AC" + "c" * 32), AUTH_TOKEN).status == 403
        globex = Api(app.test_client(), issue_key(app, "globex"))
        acme = Api(app.test_client(), issue_key(app))
        assert globex.call(call_sid(1)).status_code == 200
        assert acme.call(call_sid(1)).status_code == 404


def test_an_account_cannot_speak_for_another_accounts_number(tmp_path: Path) -> None:
    """Whoever holds one tenant's token must not write into another tenant's memory (Twilio facts, rotation)."""
    with an_app(tmp_path, an_organization(), an_organization("globex"), **with_sub_account()) as app:
        before = stored(tmp_path)
        reply = posted(app, "voice", a_call(1, AccountSid=SUB_ACCOUNT), SUB_TOKEN)
        assert speech(reply)
        assert not puts_through(reply)
        assert posted(app, "status", a_call(1, AccountSid=SUB_ACCOUNT, CallStatus="completed"), SUB_TOKEN).status == 204
        assert stored(tmp_path) == before


def test_while_a_token_is_rotated_both_are_taken(tmp_path: Path) -> None:
    accounts = (TwilioAccount(ACCOUNT, ("token-to-come", AUTH_TOKEN)),)
    with an_app(tmp_path, twilio=a_twilio(*accounts)) as app:
        assert speech(posted(app, "voice", a_call(1), AUTH_TOKEN))
        assert speech(posted(app, "voice", a_call(2), "token-to-come"))
        assert posted(app, "voice", a_call(3), "token-of-last-year").status == 403


# Forms


SIP = "sip:Maria@example.sip.twilio.com;user=phone"


@pytest.mark.parametrize("signed_as", ["on the wire", "decoded"])
def test_a_sip_caller_by_get_is_genuine_however_it_was_escaped(app: Flask, signed_as: str) -> None:
    fields = a_call(1, SIP)
    query = urlencode(fields)
    assert "sip%3AMaria%40" in query
    decoded = query.replace("%3A", ":").replace("%40", "@")
    reply = got(app, "voice", query, signed_query=query if signed_as == "on the wire" else decoded)
    assert puts_through(reply)
    call = Api(app.test_client(), issue_key(app)).call(call_sid(1)).json
    assert (call["ani"], call["explanation"]["evidence"][0]["rule"]) == (None, "ani.not_dialable")


def test_by_get_a_changed_query_is_refused(app: Flask, tmp_path: Path) -> None:
    before = stored(tmp_path)
    query = urlencode(a_call(1))
    other = query.replace("4155550123", "4155550124")
    assert got(app, "voice", other, signed_query=query).status == 403
    assert got(app, "status", other, signed_query=query).status == 403
    assert stored(tmp_path) == before


@pytest.mark.parametrize("kind", ["voice", "status"])
@pytest.mark.parametrize(
    "name", ["From", "To", "CallSid", "AccountSid", "CallStatus", "Direction", "ParentCallSid", "StirVerstat"]
)
def test_a_field_given_twice_is_refused(app: Flask, tmp_path: Path, kind: str, name: str) -> None:
    """The signature covers a set of values: which of two counts would be the sender's choice."""
    before = stored(tmp_path)
    fields = [*a_call(1, CallStatus="completed", ParentCallSid="", StirVerstat="TN-Validation-Passed-A")]
    doubled = [*fields, (name, dict(fields)[name])]
    assert posted(app, kind, doubled).status == 403
    assert posted(app, kind, [*fields, (name, "other")]).status == 403
    assert got(app, kind, urlencode(doubled)).status == 403
    assert stored(tmp_path) == before


@pytest.mark.parametrize(
    ("hashed", "status"),
    [(lambda body: body, 200), (lambda body: body + b" ", 403), (None, 403)],
    ids=["the body's hash", "another hash", "none"],
)
def test_a_json_body_counts_when_the_signed_address_has_its_hash(
    app: Flask, hashed: Callable[[bytes], bytes] | None, status: int
) -> None:
    body = json.dumps({**dict(a_call(1)), "CallDuration": 35, "AddOns": {"results": {}}}).encode()
    query = f"?bodySHA256={hashlib.sha256(hashed(body)).hexdigest()}" if hashed else ""
    signature = sign(f"{PUBLIC_URL}/twilio/voice{query}", (), AUTH_TOKEN)
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
    assert ask(app, "POST", f"/twilio/voice{query}", body, **headers).status == status
    assert Api(app.test_client(), issue_key(app)).call(call_sid(1)).status_code == (200 if status == 200 else 404)


def test_a_name_doubled_inside_json_is_refused(app: Flask) -> None:
    body = json.dumps(dict(a_call(1))).encode()[:-1] + b', "From": "+14155550124"}'
    query = f"?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = sign(f"{PUBLIC_URL}/twilio/voice{query}", (), AUTH_TOKEN)
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
    assert ask(app, "POST", f"/twilio/voice{query}", body, **headers).status == 403


def test_unknown_fields_may_come_as_often_as_they_like(app: Flask) -> None:
    more = [
        ("CalledVia", "+1"),
        ("CalledVia", "+2"),
        ("", ""),
        ("x" * 300, "y"),
        ("é", "ü"),
        ("SipHeader_X-a", "\u0416"),
    ]
    assert puts_through(posted(app, "voice", [*a_call(1), *more]))


def test_a_large_webhook_is_a_webhook(app: Flask) -> None:
    """Add-ons write as much as they like into it."""
    assert puts_through(posted(app, "voice", [*a_call(1), ("AddOns", "x" * 900 * 1024)]))


def test_an_oversized_webhook_is_refused_leaves_no_trace_and_the_log_says_why(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = stored(tmp_path)
    for size in (1024 * 1024, 4 * 1024 * 1024):
        caplog.clear()
        assert posted(app, "voice", [*a_call(1), ("AddOns", "x" * size)]).status == 403
        assert posted(app, "status", [*a_call(1, CallStatus="completed"), ("AddOns", "x" * size)]).status == 403
        assert caplog.text.count("webhook refused: too large to check its signature, more than 1024 KiB") == 2
    assert stored(tmp_path) == before


ODD_BODIES = {
    "empty": b"",
    "json": b'{"CallSid": "CA"}',
    "binary": bytes(range(256)),
    "half an escape": b"CallSid=%C",
    "not utf-8": b"CallSid=%ff%fe&From=\xff",
    "only ampersands": b"&" * 5000,
    "many fields": b"&".join(b"a%d=1" % number for number in range(5000)),
    "nul": b"CallSid=%00&AccountSid=%00",
}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "", "text/xml;;"])
@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
@pytest.mark.parametrize("kind", ["voice", "status", "fallback"])
def test_odd_bodies_are_refused_quietly(app: Flask, kind: str, body: bytes, content_type: str) -> None:
    signature = sign(f"{PUBLIC_URL}/twilio/{kind}", (), "some-other-token")
    headers = {"Content-Type": content_type, "X-Twilio-Signature": signature}
    assert ask(app, "POST", f"/twilio/{kind}", body, **headers).status == 403


def test_a_signed_but_empty_form_is_still_answered(app: Flask) -> None:
    assert puts_through(posted(app, "voice", []))
    assert posted(app, "status", []).status == 204


def test_the_host_header_decides_nothing(app: Flask) -> None:
    fields = a_call(1)
    body = urlencode(fields).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Host": "evil.example.com"}
    for_evil = sign("https://evil.example.com/twilio/voice", fields, AUTH_TOKEN)
    assert ask(app, "POST", "/twilio/voice", body, **form, **{"X-Twilio-Signature": for_evil}).status == 403
    for_us = sign(f"{PUBLIC_URL}/twilio/voice", fields, AUTH_TOKEN)
    assert ask(app, "POST", "/twilio/voice", body, **form, **{"X-Twilio-Signature": for_us}).status == 200
