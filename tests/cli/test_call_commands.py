"""`sticky-calls call`: requests as a person writes them, answers as a person reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from click.testing import CliRunner, Result
from responses import matchers
from rich.console import Console

from adapter.cli import client, main

URL = "http://127.0.0.1:8080/v1/calls"
KEY = "sk_test_abcdefgh" + "x" * 43
AUTHORIZED = matchers.header_matcher({"Authorization": f"Bearer {KEY}"})


@pytest.fixture
def service() -> Any:
    with responses.RequestsMock() as mock:
        yield mock


def call(*arguments: str, key: str = KEY) -> Result:
    return CliRunner(env={"ADAPTER_API_KEY": key}).invoke(main, ["call", *arguments])


def sends(body: dict[str, Any]) -> list[Any]:
    return [AUTHORIZED, matchers.json_params_matcher(body)]


def test_start_sends_who_is_calling_and_shows_the_answer(service: responses.RequestsMock) -> None:
    body = {
        "call_id": "call_001",
        "identity_hints": {
            "ani": "+14155550123",
            "dnis": "+14155550100",
            "external_ids": {"customer_id": "1=2", "crm": ""},
            "customer_ref": "ref",
        },
        "telco": {"line_type": "mobile"},
    }
    service.post(f"{URL}/start", json={"call_id": "call_001", "name": "Zoë"}, match=sends(body))
    result = call(
        *["start", "call_001", "--ani", "+14155550123", "--dnis", "+14155550100", "--customer-ref", "ref"],
        *["--external-id", "customer_id=1=2", "--external-id", "crm=", "--line-type", "mobile"],
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == '{\n  "call_id": "call_001",\n  "name": "Zoë"\n}\n'


def test_a_call_without_an_id_gets_a_new_one(service: responses.RequestsMock) -> None:
    service.post(f"{URL}/start", json={})
    service.post(f"{URL}/start", json={})
    assert [call("start", "--ani", "+14155550123").exit_code for _ in range(2)] == [0, 0]
    first, second = (json.loads(sent.request.body or "")["call_id"] for sent in service.calls)
    assert first.startswith("cli_")
    assert first != second


def test_end_sends_only_what_was_given(service: responses.RequestsMock) -> None:
    service.post(f"{URL}/end", json={}, match=sends({"call_id": "a", "customer_ref": "ref"}))
    assert call("end", "a", "--customer-ref", "ref").exit_code == 0
    body = {
        "call_id": "a",
        "identity_hints": {"ani": "+14155550123"},
        "intent": "refund",
        "intent_status": "resolved",
        "variables": {"name": "Ann", "note": ""},
    }
    service.post(f"{URL}/end", json={}, match=[*sends(body), matchers.header_matcher({"Idempotency-Key": "k1"})])
    result = call(
        *["end", "a", "--ani", "+14155550123", "--intent", "refund", "--intent-status", "resolved"],
        *["--variable", "name=Ann", "--variable", "note=", "--idempotency-key", "k1"],
    )
    assert result.exit_code == 0, result.output


def test_show_asks_for_the_call_whatever_its_id(service: responses.RequestsMock) -> None:
    service.get(f"{URL}/a%2F..%3Fb", json={"call_id": "a/..?b"}, match=[AUTHORIZED])
    assert json.loads(call("show", "a/..?b").stdout) == {"call_id": "a/..?b"}


def test_a_refusal_is_told_with_its_issues(service: responses.RequestsMock) -> None:
    issues = [{"path": ["identity_hints", "ani"], "message": "must be E.164"}, "odd", {"path": [], "message": "all"}]
    answer = {"error": "Bad Request", "message": "Validation failed", "details": {"issues": issues}}
    service.post(f"{URL}/start", status=400, json=answer)
    result = call("start", "--ani", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: 400 Bad Request: Validation failed\n  identity_hints.ani: must be E.164\n  all\n"


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (
            409,
            {"error": "Conflict", "message": "m", "details": {"customer_ref": "r"}},
            "409 Conflict: m\n  customer_ref: r",
        ),
        (429, {"error": "Too Many Requests", "message": "m", "retryAfter": 42}, "m\n  try again in 42 seconds"),
        (400, {"error": "e", "message": "m", "details": {"issues": "odd"}}, "400 e: m"),
        (401, {"error": "Unauthorized", "message": "Invalid or missing API key"}, "401 Unauthorized: Invalid or"),
        (500, [], "HTTP 500"),
        (302, {}, "302 : "),
    ],
)
def test_every_refusal_ends_with_exit_code_1(
    service: responses.RequestsMock, status: int, answer: Any, says: str
) -> None:
    service.get(f"{URL}/a", status=status, json=answer, headers={"Location": "http://elsewhere.example/"})
    result = call("show", "a")
    assert result.exit_code == 1
    assert says in result.stderr


def test_something_that_is_not_this_service_is_recognised(service: responses.RequestsMock) -> None:
    service.get(f"{URL}/a", body="<html>")
    result = call("show", "a")
    assert result.exit_code == 1
    assert "HTTP 200 without JSON: --url does not seem to lead to this service" in result.stderr


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (requests.ConnectionError("x"), "cannot reach http://127.0.0.1:8080 (ConnectionError); is it running?"),
        (requests.ReadTimeout("x"), "http://127.0.0.1:8080 did not answer in time"),
    ],
)
def test_a_service_that_does_not_answer_is_told(service: responses.RequestsMock, error: Exception, says: str) -> None:
    service.get(f"{URL}/a", body=error)
    result = call("show", "a")
    assert result.exit_code == 1
    assert says in result.stderr
    assert KEY not in result.output


def test_the_key_can_be_in_a_file_and_a_netrc_does_not_replace_it(
    service: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    service.get(f"{URL}/a", json={}, match=[AUTHORIZED])
    assert call("show", "a", "--key-file", str(tmp_path / "key"), key="").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", "schlüssel".encode(), b"\xff"])
def test_without_a_usable_key_nothing_is_sent(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    result = call("show", "a", "--key-file", str(tmp_path / "key"))
    assert result.exit_code == 1
    assert (
        f"no usable API key: {tmp_path}/key must hold one alone" in result.stderr
        or "cannot be read: it is not text" in result.stderr
    )


def test_a_missing_key_is_told_with_the_way_to_one(tmp_path: Path) -> None:
    assert "set ADAPTER_API_KEY, or write --key-file FILE" in call("show", "a", key="").stderr
    assert "cannot be read: No such file" in call("show", "a", "--key-file", str(tmp_path / "none")).stderr


@pytest.mark.parametrize("pair", ["name", "=x", ""])
def test_a_pair_must_be_a_pair(pair: str) -> None:
    result = call("end", "a", "--variable", pair)
    assert result.exit_code == 2
    assert "is not KEY=VALUE" in result.stderr


def test_on_a_terminal_the_answer_is_coloured(service: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "Console", lambda: Console(force_terminal=True, color_system="standard"))
    service.get(f"{URL}/a", json={"a": 1})
    result = call("show", "a")
    assert "\x1b[" in result.stdout


def test_a_key_file_written_on_windows_is_read(service: responses.RequestsMock, tmp_path: Path) -> None:
    service.get(f"{URL}/a", json={}, match=[AUTHORIZED])
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert call("show", "a", "--key-file", str(tmp_path / "key"), key="").exit_code == 0
