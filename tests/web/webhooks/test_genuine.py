"""A refused webhook's line in the log: which address was checked, what is probably wrong, nothing about the caller."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlencode

import pytest

from adapter.app import create_app
from adapter.twilio.signature import sign
from adapter.web.webhooks import genuine
from tests.builders import ACCOUNT, AUTH_TOKEN, DIALED, a_config, call_sid

pytestmark = pytest.mark.stores


def test_the_log_names_the_address_and_the_cause_and_is_sparing_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genuine, "_explained_at", None)
    client = create_app(a_config(tmp_path)).test_client()
    fields = {
        "AccountSid": ACCOUNT,
        "CallSid": call_sid(1),
        "From": "+14155550123",
        "To": DIALED,
        "CallerName": "Maria",
    }
    target = f"/twilio/voice?{urlencode(fields)}"
    # As behind a proxy where twilio.public_url says https and the number http.
    signature = sign(f"http://voice.example.com{target}", [], AUTH_TOKEN)
    for _ in range(2):
        assert client.get(target, headers={"X-Twilio-Signature": signature}).status_code == 403
    first, second = (record.getMessage() for record in caplog.records)
    checked = (
        "webhook refused: signature does not fit https://voice.example.com/twilio/voice?AccountSid=***&CallSid=***"
    )
    assert first.startswith(checked)
    assert "another scheme; write twilio.public_url" in first
    assert second.startswith(checked)
    assert "another scheme" not in second, "looking for the cause costs hashes: not at every forgery"
    assert not any(secret in first + second for secret in ("4155550123", "Maria", AUTH_TOKEN))


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        pytest.param("POST", {"X-Twilio-Signature": "x"}, b"a=1", id="a signature that can be none"),
        pytest.param("POST", {}, b"a=1", id="no signature"),
        pytest.param("GET", {}, b"", id="by GET"),
    ],
)
def test_what_cannot_be_genuine_is_refused_without_its_body_being_read(
    tmp_path: Path, method: str, headers: dict[str, str], body: bytes
) -> None:
    class Unreadable(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("it was read")

    app = create_app(a_config(tmp_path))
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    stream = Unreadable(body)
    answer = app.test_client().open("/twilio/voice", method=method, headers=sent, input_stream=stream, buffered=True)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/x-www-form-urlencoded", b"a&" * 1_000, id="more fields than anybody sends"),
        pytest.param("application/x-www-form-urlencoded", b"a=" + b"1" * 1_100_000, id="too large"),
        pytest.param("multipart/form-data; boundary=x", b"--x--", id="not how Twilio sends a form"),
        pytest.param("text/plain", b"a=1", id="no form at all"),
        pytest.param("application/json", b'{"a": "1"', id="broken JSON"),
        pytest.param("application/json", b'["a"]', id="JSON, but no object"),
        pytest.param("application/json", b"[" * 30_000, id="deep JSON"),
        pytest.param("application/json", b'{"a": "%s"}' % (b"1" * 65_536), id="large JSON"),
    ],
)
def test_a_form_that_is_none_of_twilio_s_is_not_taken_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content_type: str, body: bytes
) -> None:
    monkeypatch.setattr(genuine, "is_genuine", lambda *_: 1 / 0)
    headers = {"X-Twilio-Signature": "A" * 27 + "=", "Content-Type": content_type}
    client = create_app(a_config(tmp_path)).test_client()
    assert client.post("/twilio/voice", data=body, headers=headers).status_code == 403
    # The control: a usual form gets as far as that.
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    assert client.post("/twilio/status", data=b"a=1", headers=headers).status_code == 500
