"""Why a signature does not fit: one part of the address is different, and it is named; nothing personal is."""

from __future__ import annotations

import pytest

from adapter.logs import masked
from adapter.twilio.signature import sign
from adapter.twilio.signature_causes import Asked, cause, shown

TOKEN, FORM = "token-of-the-tests", [("From", "+14155550123"), ("CallSid", "CA1")]
BASE, TARGET = "https://voice.example.com", "/twilio/voice"


def told(
    signed: str, *, base: str = BASE, target: str = TARGET, host: str = "voice.example.com", token: str = TOKEN
) -> str:
    asked = Asked(base, target, (host,), FORM, sign(signed, FORM, token))
    return cause(asked, [TOKEN])


@pytest.mark.parametrize(
    ("signed", "given", "says"),
    [
        ("http://voice.example.com/twilio/voice", {}, "another scheme;"),
        ("https://other.example.com/twilio/voice", {"host": "other.example.com"}, "another host;"),
        ("http://other.example.com/twilio/voice", {"host": "other.example.com"}, "another scheme and host;"),
        ("https://voice.example.com:8443/twilio/voice", {"host": "voice.example.com:8443"}, "another port;"),
        ("https://voice.example.com/twilio/voice/", {}, "another slash at the end;"),
        ("https://voice.example.com/twilio/voice", {"target": "/twilio/voice/"}, "another slash at the end;"),
        ("https://voice.example.com/twilio/voice", {"target": "/twilio/voice?via=proxy"}, "another query;"),
        ("https://voice.example.com/twilio/voice", {"base": f"{BASE}/calls"}, "another path prefix;"),
    ],
)
def test_the_part_of_the_address_that_differs_is_named(signed: str, given: dict[str, str], says: str) -> None:
    words = told(signed, **given)
    assert says in words
    assert f"Twilio signed {signed}:" in words


def test_another_token_and_a_changed_field_cannot_be_told_apart() -> None:
    words = told(BASE + TARGET, token="another")
    assert words.startswith("wrong auth token, or the address or a field was changed")


def test_what_is_not_there_is_told() -> None:
    assert "no X-Twilio-Signature" in cause(Asked(BASE, TARGET, (), FORM, ""), [TOKEN])
    assert "no auth token" in cause(Asked(BASE, TARGET, (), FORM, "x"), [])


@pytest.mark.parametrize(
    "words",
    [
        cause(Asked(BASE, TARGET, (), FORM, ""), [TOKEN]),
        cause(Asked(BASE, TARGET, (), FORM, "x"), []),
        told(BASE + TARGET, token="another"),
        told("https://voice.example.com/twilio/voice/"),
        told("http://other.example.com/twilio/voice", host="other.example.com"),
    ],
)
def test_what_masks_the_log_leaves_every_cause_as_it_is(words: str) -> None:
    line = f"webhook refused: signature does not fit {BASE}{TARGET} ({words})"
    assert masked(line) == line


def test_nothing_of_a_field_nor_the_token_is_told() -> None:
    target = "/twilio/voice?From=%2B14155550123&CallerName=Maria&Maria%20B=1"
    asked = Asked(BASE, target, ("voice.example.com",), (), sign(f"http://voice.example.com{target}", (), TOKEN))
    words = cause(asked, [TOKEN])
    assert "another scheme" in words
    assert "From=***&CallerName=***&***=***" in words
    assert not any(secret in words for secret in ("Maria", "4155550123", TOKEN))


def test_an_address_without_a_query_is_shown_whole() -> None:
    assert shown("https://voice.example.com/twilio/voice") == "https://voice.example.com/twilio/voice"
