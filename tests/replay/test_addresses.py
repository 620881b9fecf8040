"""Whatever application a webhook was for, and whatever stood in front of it: it goes to our address of its kind."""

from __future__ import annotations

import pytest
from flask import Flask

from adapter.replay import WsgiExchange
from adapter.replay.recording import Recorded
from adapter.replay.rerun.addresses import here
from adapter.replay.rerun.targets import sent
from tests.builders import ACCOUNT, AUTH_TOKEN, DIALED, PUBLIC_URL, call_sid

CALL = (("AccountSid", ACCOUNT), ("CallSid", call_sid(1)), ("From", "+14155550123"), ("To", DIALED))


def a_webhook(path: str, *more: tuple[str, str], method: str = "POST") -> Recorded:
    return Recorded(method, path, (*CALL, *more))


@pytest.mark.parametrize(
    ("path", "more", "goes_to"),
    [
        ("/twilio/voice", (), "/twilio/voice"),
        ("/twilio/voice/", (), "/twilio/voice/"),
        ("/twilio/turn/3", (("Digits", "1"),), "/twilio/turn/3"),
        ("/twilio/whisper/0123456789ab/2/answer", (), "/twilio/whisper/0123456789ab/2/answer"),
        ("/calls/twilio/turn/3?x=1", (), "/twilio/turn/3?x=1"),
        ("/ivr/start?step=2", (), "/twilio/voice"),
        ("/", (), "/twilio/voice"),
        ("/twilio/voice.php", (), "/twilio/voice"),
        ("/menu", (("Digits", "1"),), "/twilio/turn/0"),
        ("/done", (("DialCallStatus", "busy"),), "/twilio/turn/0"),
        ("/events", (("CallbackSource", "call-progress-events"), ("CallStatus", "completed")), "/twilio/status"),
        ("/oops", (("ErrorCode", "11200"), ("ErrorUrl", "https://x/ivr")), "/twilio/fallback"),
        ("/screen", (("ParentCallSid", call_sid(2)),), "/twilio/whisper/0/0"),
    ],
)
def test_a_webhook_goes_to_our_address_of_its_kind(path: str, more: tuple[tuple[str, str], ...], goes_to: str) -> None:
    assert here(a_webhook(path, *more)).path == goes_to


def test_an_api_call_goes_where_it_went() -> None:
    call = Recorded("DELETE", "/v1/customers/1", (), key=("default", "prod"))
    assert here(call) is call


@pytest.mark.sqlite
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/ivr", ()),
        ("/menu", (("Digits", "1"), ("msg", "Gather End"))),
        ("/screen", (("ParentCallSid", call_sid(2)),)),
        ("/oops", (("ErrorCode", "11200"), ("ErrorUrl", "https://x/ivr"))),
    ],
    ids=["voice", "turn", "whisper", "fallback"],
)
def test_an_app_of_ours_answers_with_twiml(
    app: Flask, method: str, path: str, more: tuple[tuple[str, str], ...]
) -> None:
    exchange = WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN)
    reply = sent(exchange, PUBLIC_URL, a_webhook(path, *more, method=method))
    assert (reply.status, reply.content_type) == (200, "text/xml; charset=utf-8")


@pytest.mark.sqlite
def test_a_field_that_came_twice_is_sent_twice(app: Flask) -> None:
    """And refused, as at its first time: which of them would count?"""
    exchange = WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN)
    assert sent(exchange, PUBLIC_URL, a_webhook("/twilio/voice", ("From", "+14155550124"))).status == 403
    assert sent(exchange, PUBLIC_URL, a_webhook("/twilio/voice", ("Own", "1"), ("Own", "2"))).status == 200
