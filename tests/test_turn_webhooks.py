"""Turns and whispers as Twilio asks for them: signed, forged, odd, late, and with the memory away."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from adapter.config import Config, TwilioAccount
from adapter.engine.line import Destination, DestinationKind, Menu, MenuOption
from adapter.twilio.signature import sign
from tests import databases
from tests.builders import (
    ACCOUNT,
    AGENTS,
    AUTH_TOKEN,
    DIALED,
    PUBLIC_URL,
    Api,
    a_config,
    a_line,
    a_twilio,
    call_sid,
    issue_key,
)
from tests.conformance.wire import Reply, a_call, an_app, ask, got, lose_the_store, posted, puts_through, speech, stored
from tests.twilio.grammar import check

HEARD = Destination(DestinationKind.DIAL, AGENTS, whisper=True, caller_id=DIALED)
ASKED = Destination(DestinationKind.DIAL, AGENTS, whisper=True, accept=True)
MENU = Menu((MenuOption("refund", "1", ("money back",)), MenuOption("delivery", "2")))
LINE = a_line(destination=HEARD, menu=MENU)
OTHER = "AC" + "d" * 32


@pytest.fixture
def config(tmp_path: Path) -> Config:
    accounts = (TwilioAccount(ACCOUNT, (AUTH_TOKEN,)), TwilioAccount(OTHER, ("token-of-others",)))
    return a_config(tmp_path, lines=(LINE,), twilio=a_twilio(*accounts))


def turn(app: Flask, number: object, **fields: str) -> Reply:
    return posted(app, f"turn/{number}", a_call(1, CallStatus="in-progress", **fields))


def whisper(app: Flask, address: str, call: int = 1, token: str = AUTH_TOKEN, **fields: str) -> Reply:
    leg = {"ParentCallSid": call_sid(call), "Direction": "outbound-dial", "To": AGENTS, **fields}
    return posted(app, f"whisper/{address}", a_call(99, **leg), token)


def verbs(reply: Reply) -> list[str]:
    assert reply.status == 200
    assert check(reply.body.decode()) == []
    return [element.tag for element in ET.fromstring(reply.body)]


def test_a_caller_is_asked_answers_and_is_put_through(app: Flask) -> None:
    asked = posted(app, "voice", a_call(1))
    assert verbs(asked) == ["Gather", "Redirect"]
    assert "turn/1" in asked.body.decode()
    through = turn(app, 1, Digits="1")
    assert verbs(through) == ["Say", "Dial"]
    assert puts_through(through)
    assert f"whisper/{LINE.key}/2" in through.body.decode()
    assert verbs(turn(app, 2, DialCallStatus="completed", DialBridged="true")) == ["Hangup"]


def test_words_answer_as_well_as_keys_and_by_get_as_well_as_by_post(app: Flask) -> None:
    posted(app, "voice", a_call(1))
    fields = a_call(1, SpeechResult="I want my money back, please!")
    assert puts_through(got(app, "turn/1", urlencode(fields)))
    opened = Api(app.test_client(), issue_key(app)).call(call_sid(1))
    assert opened.status_code == 200


def test_a_repeated_turn_gets_the_same_answer(app: Flask) -> None:
    posted(app, "voice", a_call(1))
    first = turn(app, 1, Digits="2")
    assert f'callerId="{DIALED}"' in first.body.decode()
    assert turn(app, 1, Digits="2").body == first.body
    assert turn(app, 1, Digits="1").body == first.body


@pytest.mark.parametrize("address", ["turn/1", f"whisper/{LINE.key}/1", f"whisper/{LINE.key}/1/answer"])
def test_what_is_not_twilios_is_refused(app: Flask, tmp_path: Path, address: str) -> None:
    posted(app, "voice", a_call(1))
    before = stored(tmp_path)
    fields = a_call(1, Digits="1", ParentCallSid="")
    for signature in ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="):
        assert posted(app, address, fields, signature=signature).status == 403
    assert posted(app, address, fields, "token-of-others").status == 403
    assert posted(app, address, [*fields, ("Digits", "2")]).status == 403
    assert got(app, address, "Digits=1", signed_query="Digits=2").status == 403
    assert stored(tmp_path) == before


def test_a_signature_is_good_for_its_turn_only(app: Flask) -> None:
    fields = a_call(1, Digits="1")
    good = posted(app, "turn/1", fields)
    assert good.status == 200
    elsewhere = sign(f"{PUBLIC_URL}/twilio/turn/1", fields, AUTH_TOKEN)
    assert posted(app, "turn/2", fields, signature=elsewhere).status == 403


# Without memory


@pytest.mark.parametrize("number", ["0", "1", "7", "999999", "1000000", "x", "-1", "1.5", "\u0661", "9" * 5_000])
def test_a_turn_of_a_call_that_nobody_knows_puts_the_caller_through(app: Flask, number: str) -> None:
    assert puts_through(posted(app, f"turn/{quote(number)}", a_call(5)))


OVER = [
    {"DialCallStatus": "busy", "DialBridged": "false"},
    {"DialCallStatus": "completed", "DialBridged": "false"},
    {"QueueResult": "error"},
    {"SessionStatus": "failed"},
    {"RecordingUrl": "https://api.twilio.com/r", "RecordingDuration": "5"},
]


@pytest.mark.parametrize("outcome", OVER)
@pytest.mark.parametrize("number", [0, 1])
def test_nobody_is_rung_after_an_outcome_that_nobody_knows_of(
    app: Flask, monkeypatch: pytest.MonkeyPatch, outcome: dict[str, str], number: int
) -> None:
    assert verbs(turn(app, number, **outcome)) == ["Say", "Hangup"]
    assert verbs(turn(app, number, CallSid="odd", **outcome)) == ["Say", "Hangup"]
    assert verbs(posted(app, "fallback", a_call(1, ErrorCode="11200", **outcome))) == ["Say", "Hangup"]
    lose_the_store(monkeypatch)
    assert verbs(turn(app, number, **outcome)) == ["Say", "Hangup"]


CANNOT_BE_TAKEN = [{}, {"Digits": "1"}, {"CallSid": ""}, {"ParentCallSid": call_sid(3)}, {"From": "\x01"}]


@pytest.mark.parametrize("fields", CANNOT_BE_TAKEN)
def test_a_turn_that_cannot_be_taken_puts_the_caller_through(
    app: Flask, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_store(monkeypatch)
    reply = turn(app, 1, **fields)
    assert puts_through(reply)
    assert "/twilio/turn/0" in reply.body.decode()
    assert "4155550123" not in caplog.text


def test_a_turn_that_breaks_puts_the_caller_through(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adapter.web.webhooks.voice.take_turn", lambda *_: 1 / 0)
    assert puts_through(turn(app, 1))
    assert verbs(turn(app, 1, DialCallStatus="busy")) == ["Say", "Hangup"]
    assert "ZeroDivisionError" in caplog.text


def test_a_turn_on_a_line_that_is_not_configured_is_an_apology(app: Flask) -> None:
    reply = turn(app, 1, To="+14155550000")
    assert verbs(reply) == ["Say", "Hangup"]
    assert "We are sorry." in speech(reply)


# Whispers


def handed_over(app: Flask, **fields: str) -> None:
    posted(app, "voice", a_call(1))
    turn(app, 1, Digits="1", **fields)


def test_who_answers_is_told_and_connected(app: Flask) -> None:
    handed_over(app)
    reply = whisper(app, f"{LINE.key}/2")
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert check(reply.body.decode(), whisper=True) == []
    assert ET.fromstring(reply.body).findtext("Say") == "New caller, calling about refund."


@pytest.mark.parametrize(
    ("address", "call", "fields"),
    [
        ("{key}/1", 1, {}),
        ("{key}/3", 1, {}),
        ("{key}/0", 1, {}),
        ("{key}/x", 1, {}),
        ("{key}/2", 7, {}),
        ("{key}/2", 1, {"ParentCallSid": ""}),
        ("0123456789ab/2", 1, {}),
        ("%3Cx%3E/2", 1, {}),
    ],
)
def test_who_answers_something_that_nobody_knows_is_connected_at_once(
    app: Flask, address: str, call: int, fields: dict[str, str]
) -> None:
    handed_over(app)
    reply = whisper(app, address.format(key=LINE.key), call, **fields)
    assert (reply.status, len(ET.fromstring(reply.body))) == (200, 0)


def test_nothing_is_whispered_to_another_accounts_leg(app: Flask) -> None:
    handed_over(app)
    reply = whisper(app, f"{LINE.key}/2", token="token-of-others", AccountSid=OTHER)
    assert len(ET.fromstring(reply.body)) == 0


@pytest.mark.parametrize("breaks", ["store", "code", "words"])
def test_a_whisper_that_fails_connects(app: Flask, monkeypatch: pytest.MonkeyPatch, breaks: str) -> None:
    handed_over(app)
    if breaks == "store":
        lose_the_store(monkeypatch)
        databases.replace_in_stores(monkeypatch, "read", lambda *_: 1 / 0)
    elif breaks == "code":
        monkeypatch.setattr("adapter.web.webhooks.voice.whispered", lambda *_: 1 / 0)
    else:
        monkeypatch.setattr("adapter.twilio.twiml.utter", lambda *_: 1 / 0)
    assert len(ET.fromstring(whisper(app, f"{LINE.key}/2").body)) == 0


@pytest.mark.parametrize(("pressed", "taken"), [("1", True), (" 1", True), ("2", False), ("11", False), ("", False)])
def test_one_takes_the_call_and_anything_else_does_not(app: Flask, pressed: str, taken: bool) -> None:
    reply = whisper(app, f"{LINE.key}/2/answer", Digits=pressed)
    assert [element.tag for element in ET.fromstring(reply.body)] == ([] if taken else ["Hangup"])


def test_who_has_to_accept_is_asked_even_when_nobody_knows_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox must not take a call because our memory is away."""
    line = a_line(destination=ASKED)
    with an_app(tmp_path, lines=(line,)) as app:
        posted(app, "voice", a_call(1))
        for address in (f"{line.key}/1", f"{line.key}/0", f"{line.key}/5"):
            reply = whisper(app, address)
            assert [element.tag for element in ET.fromstring(reply.body)] == ["Gather", "Hangup"]
            assert f"/twilio/whisper/{address}/answer" in reply.body.decode()
        lose_the_store(monkeypatch)
        neutral = posted(app, "voice", a_call(2))
        assert f"/twilio/whisper/{line.key}/0" in neutral.body.decode()


def test_a_whispers_log_names_nobody(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    handed_over(app)
    whisper(app, f"{LINE.key}/2", ParentCallSid="odd")
    whisper(app, "nowhere/2")
    assert "4155550123" not in caplog.text
    assert AGENTS not in caplog.text


def test_head_and_other_methods_are_quiet(app: Flask) -> None:
    assert ask(app, "PUT", "/twilio/turn/1").status == 405
    assert ask(app, "GET", "/twilio/turn/1").status == 403


@pytest.mark.parametrize("path", ["", "turn", "turn/", "VOICE", "voice/x", "whisper/2"])
def test_a_number_that_is_pointed_at_a_mistyped_address_still_puts_its_callers_through(
    app: Flask, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = posted(app, path, a_call(1))
    assert verbs(reply) == ["Say", "Dial"]
    assert puts_through(reply)
    assert "an address that is none of ours" in caplog.text
    assert verbs(posted(app, path, a_call(1, DialCallStatus="busy"))) == ["Say", "Hangup"]
    assert posted(app, path, a_call(1), "forged").status == 403
