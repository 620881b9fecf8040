"""Recorded webhooks, and playing them as Twilio would send them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
import responses

from adapter.replay.player import Player, Webhook, recorded
from adapter.twilio.signature import is_genuine

BASE = "http://127.0.0.1:8080"
TOKEN = "token-of-the-tests"
WEBHOOK = Webhook("ringing", "voice", {"CallSid": "CA1", "From": "+14155550123", "City": "Málaga & more"})


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        mock.post(f"{BASE}/twilio/voice", body="<Response/>")
        yield mock


@pytest.fixture
def player() -> Iterator[Player]:
    player = Player(f"{BASE}/", TOKEN)
    yield player
    player.close()


def test_a_webhook_is_posted_as_a_form_with_its_fields_in_order(server: responses.RequestsMock, player: Player) -> None:
    assert player.play(WEBHOOK).text == "<Response/>"
    sent = server.calls[0].request
    assert parse_qsl(str(sent.body), keep_blank_values=True) == list(WEBHOOK.fields.items())
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert sent.headers["User-Agent"].startswith("TwilioProxy/")


def test_a_webhook_is_signed_for_the_address_it_is_sent_to(server: responses.RequestsMock, player: Player) -> None:
    player.play(WEBHOOK)
    assert _is_genuine(server)


def test_a_forged_webhook_has_a_signature_that_does_not_fit(server: responses.RequestsMock, player: Player) -> None:
    player.play(WEBHOOK, forged=True)
    assert server.calls[0].request.headers["X-Twilio-Signature"]
    assert not _is_genuine(server)


def test_a_proxy_in_the_environment_sees_nothing(
    server: responses.RequestsMock, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    player.play(WEBHOOK)
    assert not server.calls[0].request.req_kwargs["proxies"]  # type: ignore[attr-defined]


def test_nobody_waits_longer_than_twilio_would(server: responses.RequestsMock, player: Player) -> None:
    player.play(WEBHOOK)
    assert server.calls[0].request.req_kwargs["timeout"] == 15  # type: ignore[attr-defined]


def test_a_changed_webhook_leaves_the_recorded_one_as_it_was() -> None:
    changed = WEBHOOK.changed(From="+14155550124", Extra="1")
    assert changed.fields == {**WEBHOOK.fields, "From": "+14155550124", "Extra": "1"}
    assert (changed.name, changed.kind) == (WEBHOOK.name, WEBHOOK.kind)
    assert WEBHOOK.fields["From"] == "+14155550123"


def test_the_demo_is_recorded() -> None:
    webhooks = recorded("demo.jsonl")
    assert list(webhooks) == ["first_call", "first_call_over", "second_call", "second_call_over", "withheld_call"]
    assert {webhook.kind for webhook in webhooks.values()} == {"voice", "status"}
    assert all(webhook.name == name for name, webhook in webhooks.items())


def test_no_recording_holds_a_number_that_could_be_somebodys() -> None:
    numbers = re.findall(r"\+\d{7,15}", " ".join(str(webhook.fields) for webhook in recorded("demo.jsonl").values()))
    assert numbers
    assert {number for number in numbers if not number.startswith("+141555501")} <= {"+266696687"}


def _is_genuine(server: responses.RequestsMock) -> bool:
    sent = server.calls[0].request
    fields = parse_qsl(str(sent.body), keep_blank_values=True)
    return is_genuine(str(sent.url), fields, sent.headers["X-Twilio-Signature"], (TOKEN,))
