"""Whatever breaks in the middle of a conversation: the caller hears something, and reaches the default destination."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.replay import SILENCE, Answered, Call, Handover, Keys, Network, Question, Script, answered
from adapter.replay.caller import Reaction
from adapter.replay.webhooks import voice
from adapter.twilio import templates
from tests import databases
from tests.builders import ACCOUNT, PUBLIC_URL, Api, ToldClock, issue_key
from tests.conformance.wire import lose_the_store

from .conftest import Phone, a_phone
from .world import FULL, Person, a_number, known, twilio_section

# Passes the configuration's check, which looks at the form, and fails when it is rendered.
_BROKEN = '{% if 1 > "a" %}x{% endif %}'


class Saboteur(Script):
    """A caller during whose call something breaks: before the answer to the question numbered `at` (from 0)."""

    def __init__(self, breaks: Callable[[], None], at: int, *items: Any) -> None:
        super().__init__(*items)
        self._breaks, self._at = breaks, at

    def asked(self, question: Question) -> Keys | Any | Reaction:
        if self._at == 0:
            self._breaks()
        self._at -= 1
        return super().asked(question)

    def rings(self, handover: Handover) -> Answered | Any | Reaction:
        return answered()


@pytest.mark.parametrize("at", [0, 1, 2], ids=["at the PIN", "at the offer", "at the menu"])
def test_a_store_that_goes_away_at_any_question(
    phone: Phone, api: Api, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    number = a_number()
    Person({"name": "Maria", "pin": "4711"}, intents={"refund_request": 1}).remembered(api, number)
    saboteur = Saboteur(lambda: lose_the_store(monkeypatch), at, "4711#", "2", "2")
    played = phone.network().play(Call(number, FULL), saboteur)
    assert played.said.endswith("NEUTRAL")
    assert [handover.target for handover in played.handovers] == ["support"]
    assert played.clean


def test_a_store_that_is_away_from_the_start(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_the_store(monkeypatch)
    played = phone.calls(a_number(), answered())
    assert (played.said, [each.target for each in played.handovers]) == ("NEUTRAL", ["support"])
    assert played.clean


def test_a_defect_in_the_middle_is_heard_as_a_greeting(phone: Phone, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    saboteur = Saboteur(lambda: databases.replace_in_stores(monkeypatch, "begin", broken), 0, "1")
    played = phone.network().play(Call(number, FULL), saboteur)
    assert played.said.endswith("NEUTRAL")
    assert [handover.target for handover in played.handovers] == ["support"]


@contextmanager
def written_to_by_another_process(path: Path) -> Iterator[None]:
    """Holds the write lock from outside until told to let go."""
    holding = (
        f"import fcntl, os, sys\nlock = os.open({str(path) + '.lock'!r}, os.O_RDWR | os.O_CREAT)\n"
        f"fcntl.flock(lock, {fcntl.LOCK_EX})\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


@pytest.fixture
def default_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(twilio=twilio_section(PUBLIC_URL))


@pytest.mark.sqlite
def test_a_locked_store_keeps_no_caller_waiting_for_two_seconds(default_app: Flask, clock: ToldClock) -> None:
    phone, store = a_phone(default_app, clock), default_app.extensions["sticky-calls"].store
    phone.calls(a_number())  # the organization is known to the store from its first call on
    with written_to_by_another_process(store.path):
        before = time.monotonic()
        played = Network(phone.sent, phone.network().public_url, phone.network().account, status=None).play(
            Call(a_number(), FULL), Script(answered())
        )
        waited = time.monotonic() - before
    assert played.said == "NEUTRAL"
    assert [handover.target for handover in played.handovers] == ["support"]
    assert waited < 2.0, f"the caller waited {waited:.1f} s"


@pytest.mark.postgresql
def test_a_store_that_hangs_in_the_middle_keeps_no_caller_waiting_for_two_seconds(
    default_app: Flask, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = a_phone(default_app, clock)
    over = threading.Event()
    databases.replace_in_stores(monkeypatch, "begin", lambda *_, **__: over.wait(30))
    webhook = voice(Call(a_number(), FULL), ACCOUNT)
    before = time.monotonic()
    reply = phone.sent.send(webhook.method, PUBLIC_URL + webhook.path, webhook.fields)
    waited = time.monotonic() - before
    over.set()
    assert b"NEUTRAL" in reply.body
    assert waited < 2.0, f"the caller waited {waited:.1f} s"


@pytest.mark.parametrize(
    "tier",
    [{"per_minute": "unlimited", "monthly": 0}, {"per_minute": 1, "monthly": "unlimited"}],
    ids=["quota", "rate"],
)
def test_beyond_a_limit_nothing_is_asked(
    make_app: Callable[..., Flask], clock: ToldClock, tier: dict[str, object]
) -> None:
    app = make_app(organizations=[{"id": "acme", "tier": "small"}], tiers={"small": tier})
    Api(app.test_client(), issue_key(app)).call("used-up")
    played = a_phone(app, clock).calls(a_number(), answered())
    assert (played.said, [each.target for each in played.handovers]) == ("NEUTRAL", ["support"])


@pytest.mark.parametrize("text", ["ask_pin", "verified", "menu", "menu_option", "connecting", "welcome"])
def test_a_text_that_breaks_while_it_is_spoken_does_not_break_the_call(
    make_app: Callable[..., Flask], clock: ToldClock, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no trial has found out: the samples are not all that there is."""
    monkeypatch.setattr(templates, "failure", lambda *_: None)
    app = make_app(texts={"en": {text: _BROKEN}})
    api = Api(app.test_client(), issue_key(app))
    number = a_number()
    Person({"name": "Maria Lopez", "pin": "4711"}).remembered(api, number)
    played = a_phone(app, clock).calls(number, "4711#", "2", answered())
    assert [handover.target for handover in played.handovers] in (["orders"], ["support"])
    assert played.clean


def test_turns_cost_neither_rate_nor_quota(make_app: Callable[..., Flask], clock: ToldClock) -> None:
    tier = {"per_minute": 100, "monthly": 2}
    app = make_app(organizations=[{"id": "acme", "tier": "small"}], tiers={"small": tier})
    phone = a_phone(app, clock)
    played = phone.calls(a_number(), SILENCE, SILENCE, "9", "1", answered())
    assert played.said.endswith("CONNECTING")
    assert phone.calls(a_number(), answered()).said == "NEUTRAL"
