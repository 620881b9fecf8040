"""Requests in the words of older clients: the same answers as in today's where it is switched on, else 400."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.config import ApiConfig, Config
from tests.builders import Api, a_config

CALLER = {"ani": "+14155550123", "dnis": "+14155550100", "external_ids": {"customer_id": "12345"}}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, api=ApiConfig(older_dialect=True))


def test_an_older_client_is_understood_from_start_to_end(api: Api) -> None:
    first = api.post("/v1/calls/start", {"call_id": "c1", **CALLER})
    assert (first.status_code, first.json["identity"]["recommendation"]) == (200, "ignore")
    ended = api.post("/v1/calls/end", {"call_id": "c1", **CALLER, "intent": "refund", "intent_is_open": True})
    assert (ended.status_code, ended.json["customer_ref"]) == (200, first.json["customer_ref"])
    again = api.start("c2", **CALLER)
    assert again.json["customer_ref"] == first.json["customer_ref"]
    assert again.json["open_intents"] == [{"intent": "refund", "status": "open", "attempt_count": 1}]
    api.post("/v1/calls/end", {"call_id": "c2", **CALLER, "intent": "refund", "intent_is_open": False})
    assert api.post("/v1/calls/start", {"call_id": "c3", **CALLER}).json["open_intents"] == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"ani": "555"}, ["identity_hints", "ani"]),
        ({**CALLER, "intent": "x", "intent_is_open": "yes"}, ["intent_status"]),
        ({**CALLER, "identity_hints": 5}, ["identity_hints"]),
    ],
)
def test_what_is_wrong_is_told_in_todays_words(api: Api, body: dict[str, Any], path: list[str]) -> None:
    answer = api.post("/v1/calls/end", {"call_id": "c1", **body})
    assert (answer.status_code, answer.json["details"]["issues"][0]["path"]) == (400, path)


def test_todays_words_win_and_stay_as_they_are(api: Api) -> None:
    api.start("c1", ani="+14155550123")
    body = {"call_id": "c2", "ani": "+14155550999", "identity_hints": {"ani": "+14155550123"}}
    assert api.post("/v1/calls/start", body).json["customer_ref"] == api.call("c1").json["customer_ref"]
    ended = {"call_id": "c2", **CALLER, "intent": "x", "intent_status": "resolved", "intent_is_open": True}
    api.post("/v1/calls/end", ended)
    assert api.start("c3", ani="+14155550123").json["open_intents"] == []


def test_a_repeated_end_is_the_same_end(api: Api) -> None:
    body = {"call_id": "c1", **CALLER, "intent": "refund", "intent_is_open": True}
    first = api.post("/v1/calls/end", body, {"Idempotency-Key": "k"})
    again = api.post("/v1/calls/end", body, {"Idempotency-Key": "k"})
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")


class TestSwitchedOff:
    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return a_config(tmp_path)

    def test_older_words_are_a_mistake(self, api: Api) -> None:
        answer = api.post("/v1/calls/start", {"call_id": "c1", **CALLER})
        assert (answer.status_code, answer.json["details"]["issues"][0]["path"]) == (400, ["identity_hints"])
