"""Twilio's Lookup v2 through Twilio's own client, over HTTP that is made up."""

from __future__ import annotations

import io
import logging
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from adapter import logs
from adapter.engine.model import LineType
from adapter.twilio.lookup import Lookup

ACCOUNT, TOKEN, NUMBER = "AC" + "a" * 32, "0123456789abcdef0123456789abcdef", "+14155550123"
URL = f"https://lookups.twilio.com/v2/PhoneNumbers/{NUMBER}"


def told(kind: object, **more: object) -> dict[str, Any]:
    intelligence = {"type": kind, "carrier_name": "T-Mobile USA", "error_code": None}
    return {"phone_number": NUMBER, "valid": True, "line_type_intelligence": intelligence, **more}


@pytest.fixture
def twilio() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def lookup() -> Lookup:
    return Lookup({ACCOUNT: (TOKEN, "another"), "*": ("anybody's",)})


@pytest.mark.parametrize(
    ("kind", "line_type"),
    [
        ("mobile", LineType.MOBILE),
        ("landline", LineType.LANDLINE),
        ("fixedVoip", LineType.VOIP),
        ("nonFixedVoip", LineType.VOIP),
        *((kind, LineType.UNKNOWN) for kind in ("personal", "tollFree", "premium", "sharedCost", "uan", "voicemail")),
        *((kind, LineType.UNKNOWN) for kind in ("pager", "unknown", "whatever comes next")),
    ],
)
def test_twilios_types_are_four(lookup: Lookup, twilio: responses.RequestsMock, kind: str, line_type: LineType) -> None:
    twilio.get(URL, json=told(kind))
    assert lookup.line_type(ACCOUNT, NUMBER) is line_type


def test_a_number_that_does_not_exist_is_unknown(lookup: Lookup, twilio: responses.RequestsMock) -> None:
    twilio.get(URL, json={"valid": False, "validation_errors": ["TOO_SHORT"], "line_type_intelligence": None})
    assert lookup.line_type(ACCOUNT, NUMBER) is LineType.UNKNOWN


@pytest.mark.parametrize(("error_code", "logged"), [(60601, "60601"), (None, "None"), (NUMBER, "None")])
def test_no_type_is_an_answer_too_and_not_asked_for_at_every_call(
    lookup: Lookup,
    twilio: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    error_code: object,
    logged: str,
) -> None:
    twilio.get(URL, json=told(None) | {"line_type_intelligence": {"type": None, "error_code": error_code}})
    assert lookup.line_type(ACCOUNT, NUMBER) is LineType.UNKNOWN
    assert [record.getMessage() for record in caplog.records] == [f"Twilio knows no line type: error_code {logged}"]


@pytest.mark.parametrize(("status", "asked"), [(401, 1), (403, 1), (429, 1), (404, 2), (500, 2)])
def test_an_account_that_was_refused_is_not_asked_with_for_some_minutes(
    lookup: Lookup, twilio: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, status: int, asked: int
) -> None:
    now = 1_000.0
    monkeypatch.setattr("adapter.twilio.lookup.time.monotonic", lambda: now)
    twilio.get(URL, status=status, json={})
    for _ in range(2):
        assert lookup.line_type(ACCOUNT, NUMBER) is None
    assert len(twilio.calls) == asked
    now += 301
    lookup.line_type(ACCOUNT, NUMBER)
    assert len(twilio.calls) == asked + 1


def test_only_the_line_type_is_asked_for_with_the_accounts_first_token(
    lookup: Lookup, twilio: responses.RequestsMock
) -> None:
    twilio.get(URL, json=told("mobile"))
    lookup.line_type(ACCOUNT, NUMBER)
    request = twilio.calls[0].request
    assert request.params == {"Fields": "line_type_intelligence"}
    assert request.headers["Authorization"] == "Basic " + b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert request.req_kwargs["timeout"] == 1.0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param({"status": 401, "json": {"code": 20003, "message": NUMBER}}, "status 401, code 20003", id="401"),
        pytest.param({"status": 404, "json": {"code": 20404, "message": NUMBER}}, "status 404, code 20404", id="404"),
        pytest.param({"status": 429, "json": {"code": 20429}}, "status 429, code 20429", id="429"),
        pytest.param({"status": 500, "body": f"<html>{NUMBER}</html>"}, "status 500, code 500", id="500"),
        pytest.param({"status": 500, "json": {"code": NUMBER}}, "status 500", id="a code that is none"),
        pytest.param(
            {"status": 403, "json": {"type": NUMBER, "title": NUMBER, "status": 403, "code": 60601}},
            "status 403, code 60601",
            id="a problem document",
        ),
        pytest.param({"body": requests.Timeout(NUMBER)}, "Timeout", id="timeout"),
        pytest.param({"body": requests.ConnectionError(NUMBER)}, "ConnectionError", id="no connection"),
        pytest.param({"body": "not JSON"}, "JSONDecodeError", id="not JSON"),
        pytest.param({"body": b"\xff\xfe\x00"}, "JSONDecodeError", id="not text"),
        pytest.param({"json": [NUMBER]}, "AttributeError", id="a list"),
        pytest.param({"body": "null"}, "AttributeError", id="null"),
        pytest.param({"json": {}}, "TypeError", id="empty"),
        pytest.param({"json": {"line_type_intelligence": "mobile"}}, "TypeError", id="a string"),
        pytest.param({"json": {"line_type_intelligence": {}}}, "KeyError", id="no type"),
        pytest.param({"json": told(["mobile"])}, "ValueError", id="type a list"),
    ],
)
def test_what_goes_wrong_is_nothing_and_a_line_that_names_no_number(
    lookup: Lookup,
    twilio: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any],
    reason: str,
) -> None:
    twilio.get(URL, **answer)
    with caplog.at_level(logging.INFO):
        assert lookup.line_type(ACCOUNT, NUMBER) is None
    assert [record.getMessage() for record in caplog.records] == [f"line type not looked up: {reason}"]
    assert len(twilio.calls) == 1  # no second try


def test_no_number_and_no_token_is_in_the_log_at_any_level(
    lookup: Lookup, twilio: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logs.configure("debug")
    try:
        twilio.get(URL, json=told("mobile"))
        lookup.line_type(ACCOUNT, NUMBER)
        twilio.replace(responses.GET, URL, status=500, body=NUMBER)
        lookup.line_type(ACCOUNT, NUMBER)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    assert "line type not looked up" in written.getvalue()
    assert NUMBER[2:] not in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_an_account_needs_a_token_under_its_own_name(lookup: Lookup) -> None:
    assert lookup.can_ask(ACCOUNT)
    assert not lookup.can_ask("AC" + "b" * 32)
    assert not lookup.can_ask("*")
    assert not lookup.can_ask("")


def test_an_account_without_tokens_cannot_be_asked() -> None:
    assert not Lookup({ACCOUNT: ()}).can_ask(ACCOUNT)
