"""Twilio's numbers through Twilio's own client, over HTTP that is made up."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
import responses

from adapter import logs
from adapter.errors import AdapterError
from adapter.twilio.provisioning import SipDomain, TwilioApi, TwilioAway, TwilioSaysNo, Webhooks
from tests.twilio.rest import BASE, Rest

ACCOUNT, TOKEN, NUMBER = "AC" + "a" * 32, "0123456789abcdef0123456789abcdef", "+14155550100"
OURS = Webhooks("https://a.example/voice", "https://a.example/fallback", "https://a.example/status")


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as made:
        yield made


@pytest.fixture
def rest(mock: responses.RequestsMock) -> Rest:
    made = Rest(ACCOUNT, [TOKEN])
    made.install(mock)
    return made


@pytest.fixture
def asked() -> TwilioApi:
    return TwilioApi(ACCOUNT, TOKEN)


def test_every_page_of_numbers_is_read(rest: Rest, asked: TwilioApi) -> None:
    rest.page = 2
    for last in range(5):
        rest.add_number(f"+1415555010{last}")
    assert [found.number for found in asked.numbers()] == [f"+1415555010{last}" for last in range(5)]


def test_a_number_that_calls_nothing_has_empty_addresses(rest: Rest, asked: TwilioApi) -> None:
    rest.add_number(NUMBER)
    assert asked.numbers()[0].webhooks == Webhooks("", "", "")


def test_addresses_and_methods_are_set_and_nothing_else_is(rest: Rest, asked: TwilioApi) -> None:
    stored = rest.add_number(NUMBER, voice_method="GET", friendly_name="desk")
    assert asked.set(asked.numbers()[0], OURS).webhooks == OURS
    assert (stored["voice_url"], stored["voice_method"], stored["friendly_name"]) == (OURS.voice_url, "POST", "desk")


@pytest.mark.parametrize(
    ("container", "sid"), [("voice_application_sid", "AP" + "1" * 32), ("trunk_sid", "TK" + "1" * 32)]
)
def test_a_number_is_taken_out_of_what_has_its_calls_and_put_back(
    rest: Rest, asked: TwilioApi, container: str, sid: str
) -> None:
    rest.add_number(NUMBER, **{container: sid})
    before = asked.numbers()[0]
    assert getattr(before.webhooks, container) == sid
    after = asked.set(before, OURS)
    assert after.webhooks == OURS
    assert asked.set(after, replace(OURS, **{container: sid})).webhooks == replace(OURS, **{container: sid})


def test_sip_domains_tell_their_address(rest: Rest, asked: TwilioApi) -> None:
    rest.add_domain("acme.sip.twilio.com", "https://pbx.example/voice")
    assert asked.sip_domains() == [SipDomain("acme.sip.twilio.com", "https://pbx.example/voice")]


def test_the_account_tells_the_token_that_signs(rest: Rest, asked: TwilioApi) -> None:
    rest.tokens = ["the primary one", TOKEN]
    found = asked.about_account()
    assert (found.status, found.primary_token) == ("active", "the primary one")
    assert "primary one" not in repr(found)


def test_a_wrong_token_is_a_401(rest: Rest) -> None:
    with pytest.raises(TwilioSaysNo) as caught:
        TwilioApi(ACCOUNT, "wrong").numbers()
    assert (caught.value.status, caught.value.message) == (401, "Twilio answered 401")


def test_a_refused_change_tells_twilios_code(rest: Rest, asked: TwilioApi) -> None:
    rest.add_number(NUMBER)
    number = asked.numbers()[0]
    rest.numbers.clear()
    with pytest.raises(TwilioSaysNo, match="Twilio answered 404, error 20404"):
        asked.set(number, OURS)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_and_away_are_tried_again(mock: responses.RequestsMock, asked: TwilioApi, status: int) -> None:
    url = f"{BASE}/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json"
    refused = mock.get(url, status=status, json={"code": status, "status": status})
    answered = mock.get(url, json={"incoming_phone_numbers": [], "next_page_uri": None})
    assert asked.numbers() == []
    assert (refused.call_count, answered.call_count) == (1, 1)
    assert mock.calls[0].request.req_kwargs["timeout"] == 10.0


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param({"status": 404, "json": {"code": 20404}}, TwilioSaysNo, "Twilio answered 404", id="404"),
        pytest.param({"status": 403, "body": f"<html>{NUMBER}"}, TwilioSaysNo, "Twilio answered 403", id="html"),
        pytest.param({"body": requests.Timeout(NUMBER)}, TwilioAway, "no answer (Timeout)", id="timeout"),
        pytest.param({"body": requests.ConnectionError(NUMBER)}, TwilioAway, "(ConnectionError)", id="no connection"),
        pytest.param({"body": "not JSON"}, TwilioAway, "cannot be read", id="not JSON"),
        pytest.param({"json": [NUMBER]}, TwilioAway, "cannot be read", id="a list"),
        pytest.param({"json": {"incoming_phone_numbers": [None]}}, TwilioAway, "cannot be read", id="null"),
    ],
)
def test_what_goes_wrong_is_one_of_two_errors_that_name_no_number(
    mock: responses.RequestsMock, asked: TwilioApi, answer: dict[str, object], error: type[AdapterError], says: str
) -> None:
    mock.get(f"{BASE}/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json", **answer)
    with pytest.raises(error) as caught:
        asked.numbers()
    assert says in caught.value.message
    assert NUMBER not in caught.value.message


def test_no_number_and_no_token_is_in_the_log_at_any_level(
    rest: Rest, asked: TwilioApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logs.configure("debug")
    try:
        rest.add_number(NUMBER)
        asked.set(asked.numbers()[0], OURS)
    finally:
        root.setLevel(before[0])
        root.handlers = before[1]
    assert NUMBER[2:] not in written.getvalue()
    assert TOKEN not in written.getvalue()
