"""No request of any form makes an edge answer with a 5xx, with HTML, or with anything but TwiML to Twilio.

Briefly here, at length by `python -m tests.conformance --requests 60000`.
"""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conformance import any_request
from tests.conformance.wire import Reply, ask, is_json, is_twiml


def test_no_request_of_any_form_breaks_an_edge() -> None:
    any_request.send(1_500)


@pytest.mark.parametrize("target", ["/twilio/voice", "/twilio/status"])
def test_the_fuzz_would_see_a_defect(app: Flask, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """The positive control: its checks tell TwiML from JSON, and an error from an answer."""
    assert not is_twiml(Reply(200, {"Content-Type": "application/json"}, b"{}"), "GET")
    assert not is_json(Reply(404, {"Content-Type": "application/json"}, b'{"error": "Not Found"}'), "GET")
    assert not is_json(Reply(404, {"Content-Type": "text/html"}, b"<html>"), "GET")
    monkeypatch.setattr("adapter.web.webhooks.voice.genuine_fields", lambda *_: 1 / 0)
    app.testing = False
    assert ask(app, "POST", target).status == (200 if target.endswith("voice") else 500)
