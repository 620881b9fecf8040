"""What the edge shows of itself to whoever asks: as little as it needs."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import Api, Twilio, call_sid

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize("path", ["/", "/v1/health", "/v1/calls/start", "/twilio/voice", "/docs/"])
def test_nobody_gets_a_request_back_by_trace(app: Flask, api: Api, path: str) -> None:
    headers = {"Authorization": f"Bearer {api.key}", "X-Mine": "echo"}
    answer = app.test_client().open(path, method="TRACE", headers=headers)
    assert answer.status_code in (404, 405)
    assert "echo" not in answer.text


def test_every_answer_says_what_it_is_and_that_it_is_nothing_else(api: Api, twilio: Twilio) -> None:
    for answer in (api.start("a", ani="+14155550123"), api.call("b"), twilio.voice(call_sid(1))):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type in ("application/json", "text/xml; charset=utf-8")


def test_no_proxy_and_no_browser_keeps_what_is_personal(api: Api) -> None:
    ref = api.start("a", ani="+14155550123").json["customer_ref"]
    for answer in (api.customer(ref), api.call("a"), api.call("b")):
        assert answer.headers["Cache-Control"] == "no-store"


def test_there_is_nothing_but_what_is_meant_to_be_there(app: Flask) -> None:
    """No listing, no file, no console, no page of the framework's."""
    client = app.test_client()
    for path in ("/", "/.git/config", "/.env", "/config.yaml", "/static/", "/console", "/metrics", "/server-status"):
        assert client.get(path).status_code == 404
    assert app.debug is False
    beginnings = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert beginnings == {"v1", "twilio", "docs", "healthz", "readyz"}


def test_no_answer_sets_a_cookie_or_lets_another_site_in(api: Api) -> None:
    answer = api.start("a", ani="+14155550123")
    assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(answer.headers.keys())
