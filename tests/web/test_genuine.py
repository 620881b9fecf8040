"""A refused webhook's line in the log: which address was checked, what is probably wrong, nothing about the caller."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from adapter.app import create_app
from adapter.twilio.signature import sign
from adapter.web import genuine
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
