"""What to paste into a TwiML Bin: valid TwiML that puts callers through without this service."""

from __future__ import annotations

import pytest

from adapter.engine.line import Destination, DestinationKind, Line
from adapter.twilio.standing_in import standing_in
from tests.builders import AGENTS, PUBLIC_URL, a_line
from tests.twilio.grammar import check

TARGETS = {
    DestinationKind.DIAL: AGENTS,
    DestinationKind.SIP: "sip:desk@example.com",
    DestinationKind.CLIENT: "desk",
    DestinationKind.QUEUE: "support",
    DestinationKind.WORKFLOW: "WW" + "0" * 32,
    DestinationKind.CONFERENCE: "room",
    DestinationKind.RELAY: "wss://bot.example.com/relay",
    DestinationKind.STREAM: "wss://bot.example.com/stream",
    DestinationKind.REDIRECT: "https://ivr.example.com/next",
}


def a_line_to(kind: DestinationKind, **changes: object) -> Line:
    return a_line(destination=Destination(kind, TARGETS.get(kind, ""), whisper=True), **changes)


@pytest.mark.parametrize("kind", DestinationKind)
def test_every_destination_makes_valid_twiml_that_never_asks_this_service(kind: DestinationKind) -> None:
    document = standing_in(a_line_to(kind))
    # Without an action Twilio goes on in the document, which is over: wanted here, and nowhere else.
    assert [fault for fault in check(document) if not fault.endswith(" without action")] == []
    assert "action=" not in document
    assert "/twilio/" not in document
    assert PUBLIC_URL not in document


@pytest.mark.parametrize("kind", TARGETS)
def test_callers_are_put_through_to_the_default_destination(kind: DestinationKind) -> None:
    assert TARGETS[kind] in standing_in(a_line_to(kind))


@pytest.mark.parametrize("kind", [DestinationKind.VOICEMAIL, DestinationKind.CALLBACK])
def test_where_nobody_is_rung_callers_hear_that_nobody_can_be_reached(kind: DestinationKind) -> None:
    document = standing_in(a_line_to(kind))
    assert "nobody can take your call" in document
    assert "<Hangup" in document
    assert "<Record" not in document


def test_it_speaks_the_lines_own_text_and_language() -> None:
    document = standing_in(a_line(language="de-DE"), {"de": {"neutral": "Guten Tag {% raw %}{{x}}{% endraw %}"}})
    assert 'language="de-DE"' in document
    # Two braces would be a variable of the bin.
    assert "Guten Tag { {x}}" in document
