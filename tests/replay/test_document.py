"""Which answers Twilio carries out, which end or detour a call, and of what it only warns."""

from __future__ import annotations

import pytest

from adapter.replay import Ending, NoAnswer, Reply
from tests.builders import PUBLIC_URL

from .conformance import BYE, CUT_OFF, Case, the_network_does_as_twilio_does
from .pages import twiml

ASK = '<Gather action="/turn" numDigits="1"><Say>Press one.</Say></Gather><Say>Nothing came.</Say>'

FAILING = [
    *(
        Case(rule, answer, said=CUT_OFF, ending=Ending.CUT_OFF, errors=[code])
        for rule, answer, code in (
            ("a status of 400 and above is 11200", Reply(400, "text/xml", b"<Response/>"), 11200),
            ("a failing server is 11200", Reply(500, "text/html", b""), 11200),
            ("no connection is 11200", NoAnswer("nobody listens"), 11200),
            ("an answer without a content type is 11200", Reply(200, "", b"<Response/>"), 11200),
            ("JSON is 12300", Reply(200, "application/json", b"{}"), 12300),
            ("nothing at all is 12100", Reply(200, "text/xml", b""), 12100),
            ("a blank in front is 12100", Reply(200, "text/xml", b" <Response/>"), 12100),
            ("a byte order mark is 12100", Reply(200, "text/xml", b"\xef\xbb\xbf<Response/>"), 12100),
            ("an & that is none is 12100", Reply(200, "text/xml", b"<Response><Say>A & B</Say></Response>"), 12100),
            ("another root is 12100", Reply(200, "text/xml", b"<html/>"), 12100),
            (
                "an unknown encoding is 12100",
                Reply(200, "text/xml", b'<?xml version="1.0" encoding="x"?><Response/>'),
                12100,
            ),
            ("a document type is 12100", Reply(200, "text/xml", b"<!DOCTYPE a><Response/>"), 12100),
            (
                "an entity is 12100",
                Reply(200, "text/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><Response><Say>&b;</Say></Response>'),
                12100,
            ),
            ("more than 64 kB is 11750", twiml("<Say>" + "a" * 65_536 + "</Say>"), 11750),
        )
    ),
    Case("64 kB are not too many", Reply(200, "text/xml", b"<Response/>".ljust(65_536))),
    Case("text/html is TwiML", Reply(200, "text/html", b"<Response><Say>Hi.</Say></Response>"), said="Hi."),
    Case(
        "plain text that is TwiML is TwiML",
        Reply(200, "text/plain", b"<Response><Say>Hi.</Say></Response>"),
        said="Hi.",
    ),
    Case("plain text is read aloud", Reply(200, "text/plain; charset=utf-8", b"Not found"), said="Not found"),
    Case("a sound is played", Reply(200, "audio/mpeg", b"ID3")),
    Case(
        "the fallback URL is told the error and its place, and goes on",
        Reply(500, "text/html", b""),
        (),
        {"fallback": "<Say>Hi.</Say>"},
        [f"/fallback CallStatus=ringing ErrorCode=11200 ErrorUrl={PUBLIC_URL}/twilio/voice"],
        "Hi.",
        errors=[11200],
        network={"fallback": "/fallback"},
    ),
    Case(
        "the fallback URL serves later documents, too",
        ASK,
        ("1",),
        {"fallback": BYE},
        ["/turn Digits=1 FinishedOnKey= msg=Gather End", f"/fallback ErrorCode=11200 ErrorUrl={PUBLIC_URL}/turn"],
        "Press one. Goodbye.",
        errors=[11200],
        network={"fallback": "/fallback"},
    ),
    Case(
        "a fallback that fails itself ends the call",
        Reply(500, "text/html", b""),
        (),
        {},
        [f"/fallback CallStatus=ringing ErrorCode=11200 ErrorUrl={PUBLIC_URL}/twilio/voice"],
        CUT_OFF,
        ending=Ending.CUT_OFF,
        errors=[11200, 11200],
        network={"fallback": "/fallback"},
    ),
]

WARNING = [
    Case(rule, f"{document}<Say>Hi.</Say>", ("1",) * 3, said="Hi.", warnings=[12200])
    for rule, document in (
        ("an unknown verb", "<Shout>Hi.</Shout>"),
        ("a verb in small letters", "<hangup/>"),
        ("an unknown attribute", '<Pause bogus="1"/>'),
        ("an attribute in another spelling", '<Pause Length="1"/>'),
        ("a noun that belongs elsewhere", "<Pause><Number>1</Number></Pause>"),
        ("a number that is none", '<Pause length="long"/>'),
        ("a flag that is none", '<Dial answerOnBridge="yes">+14155550199</Dial>'),
        ("a method that is none", '<Dial method="PUT">+14155550199</Dial>'),
        ("a stream's address with a query", '<Connect><Stream url="wss://x.example/?a=b"/></Connect>'),
        ("an unsafe WebSocket", '<Connect><ConversationRelay url="ws://x.example/"/></Connect>'),
        ("a SIP URI of 256 characters", f"<Dial><Sip>{'sip:desk@example.com'.ljust(256, 'x')}</Sip></Dial>"),
        ("SIP headers of 1025 characters", f"<Dial><Sip>sip:desk@example.com?{'x-a='.ljust(1025, 'x')}</Sip></Dial>"),
        ("a client's identity of 257 characters", f"<Dial><Client>{'x' * 257}</Client></Dial>"),
        ("a queue's name of 65 characters", f"<Enqueue>{'x' * 65}</Enqueue>"),
        (
            "a Parameter of 501 characters",
            f'<Connect><Stream url="wss://x.example"><Parameter name="n" value="{"x" * 500}"/></Stream></Connect>',
        ),
    )
]


@pytest.mark.parametrize("case", [*FAILING, *WARNING], ids=lambda case: case.rule)
def test_answers_are_read_as_at_twilio(case: Case) -> None:
    the_network_does_as_twilio_does(case)
