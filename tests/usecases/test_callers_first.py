"""Limits, quotas and an absent store are never felt by a caller, and no hang-up is lost over them (semantics §9)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from adapter.engine.model import Call
from adapter.errors import SealBroken
from adapter.store import calls
from adapter.store.inbox import Inbox
from adapter.store.transaction import Transaction
from adapter.usecases import Service, apply_waiting
from tests import databases
from tests.builders import PUBLIC_URL, Api, a_line, an_organization, call_sid, issue_key
from tests.conformance.wire import NEUTRAL, a_call, an_app, events, lose_the_store, posted, puts_through, speech

pytestmark = pytest.mark.stores

SUB_DIALED = "+14155550101"


def test_when_the_store_is_away_the_caller_is_greeted_neutrally_and_put_through(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(app, "voice", a_call(1))
    lose_the_store(monkeypatch)
    reply = posted(app, "voice", a_call(2))
    assert speech(reply) == NEUTRAL
    assert puts_through(reply)
    assert posted(app, "status", a_call(1, CallStatus="completed")).status == 204


def test_a_hang_up_while_the_store_is_away_is_applied_when_it_is_back(
    app: Flask, service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(app, "voice", a_call(1))
    with monkeypatch.context() as patched:
        lose_the_store(patched)
        posted(app, "status", a_call(1, CallStatus="completed"))
    assert events(api, call_sid(1)) == ["greeted"]
    assert apply_waiting(service) == 1
    assert events(api, call_sid(1)) == ["greeted", "hung_up"]
    assert apply_waiting(service) == 0


def test_a_worker_that_never_saw_the_store_keeps_a_hang_up_too(
    app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is restarted while the database is away: its first webhook may be a status callback."""
    with monkeypatch.context() as patched:
        lose_the_store(patched)
        posted(app, "status", a_call(1, CallStatus="completed"))
    assert apply_waiting(service) == 1


@pytest.mark.parametrize("plan", [{"monthly": 0}, {"per_minute": 0}])
def test_beyond_quota_or_rate_the_caller_is_greeted_neutrally_and_put_through(
    tmp_path: Path, plan: dict[str, int]
) -> None:
    with an_app(tmp_path, an_organization(**plan)) as app:
        reply = posted(app, "voice", a_call(1))
        assert speech(reply) == NEUTRAL
        assert puts_through(reply)
        assert posted(app, "status", a_call(1, CallStatus="completed")).status == 204
        assert (
            databases.count(tmp_path, "customers"),
            databases.count(tmp_path, "calls"),
            databases.count(tmp_path, "usage"),
        ) == (0, 0, 0)


def test_the_last_of_the_rate_is_still_recognized(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(per_minute=1)) as app:
        assert speech(posted(app, "voice", a_call(1))) != NEUTRAL
        assert speech(posted(app, "voice", a_call(2))) == NEUTRAL


def test_a_hang_up_under_an_exhausted_quota_is_applied_after_the_renewal(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=1)) as app:
        service, api = app.extensions["sticky-calls"], Api(app.test_client(), issue_key(app))
        posted(app, "voice", a_call(1))
        posted(app, "status", a_call(1, CallStatus="completed"))
        assert apply_waiting(service) == 0
        assert events(api, call_sid(1)) == ["greeted"]
        service.clock.advance(days=22)  # the first of March
        assert apply_waiting(service) == 1
        call = api.call(call_sid(1)).json
        assert [event["event"] for event in call["timeline"]] == ["greeted", "hung_up"]
        assert call["timeline"][1]["at"] == "2026-02-07T10:30:00.000Z"
        assert apply_waiting(service) == 0


def test_one_organizations_exhausted_quota_holds_up_nobody_elses_hang_ups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (a_line(), a_line(number=SUB_DIALED, organization="globex"))
    with an_app(tmp_path, an_organization(monthly=1), an_organization("globex"), lines=lines) as app:
        service = app.extensions["sticky-calls"]
        globex = Api(app.test_client(), issue_key(app, "globex"))
        posted(app, "voice", a_call(1))
        posted(app, "voice", a_call(2, To=SUB_DIALED))
        posted(app, "status", a_call(1, CallStatus="completed"))
        with monkeypatch.context() as patched:
            lose_the_store(patched)
            posted(app, "status", a_call(2, To=SUB_DIALED, CallStatus="completed"))
        apply_waiting(service)
        assert events(globex, call_sid(2)) == ["greeted", "hung_up"]


def test_waiting_for_the_renewal_uses_up_no_rate(tmp_path: Path) -> None:
    """A worker tries again every few seconds for as long as a month: its organization's own requests must not pay."""
    with an_app(tmp_path, an_organization(per_minute=10, monthly=1)) as app:
        service, api = app.extensions["sticky-calls"], Api(app.test_client(), issue_key(app))
        posted(app, "voice", a_call(1))
        posted(app, "status", a_call(1, CallStatus="completed"))
        service.clock.advance(seconds=61)
        for _ in range(8):
            apply_waiting(service)
        assert api.call(call_sid(1)).headers["X-RateLimit-Remaining"] == "9"


def test_twilios_fallback_puts_the_caller_through_and_asks_nothing_of_the_store(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_the_store(monkeypatch)
    reply = posted(app, "fallback", [*a_call(1), ("ErrorCode", "11200"), ("ErrorUrl", f"{PUBLIC_URL}/twilio/voice")])
    assert speech(reply) == NEUTRAL
    assert puts_through(reply)
    assert posted(app, "fallback", a_call(1), signature="").status == 403


def test_a_defect_is_heard_as_a_sentence_and_not_as_an_application_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    databases.replace_in_stores(monkeypatch, "begin", broken)
    assert speech(posted(app, "voice", a_call(1)))
    assert posted(app, "status", a_call(1, CallStatus="completed")).status == 204


def test_a_call_that_cannot_be_opened_holds_up_no_other_hang_up(
    app: Flask, service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encryption key that was taken out too early: its calls wait for it, the others do not."""
    for number in (1, 2):
        posted(app, "voice", a_call(number))
    with monkeypatch.context() as patched:
        lose_the_store(patched)
        for number in (1, 2):
            posted(app, "status", a_call(number, CallStatus="completed"))
    real = calls.find

    def sealed(tx: Transaction, call_id: str) -> Call | None:
        if call_id == call_sid(1):
            raise SealBroken("no such key")
        return real(tx, call_id)

    with monkeypatch.context() as patched:
        patched.setattr(calls, "find", sealed)
        assert apply_waiting(service) == 1
    assert events(api, call_sid(2)) == ["greeted", "hung_up"]
    assert apply_waiting(service) == 1
    assert events(api, call_sid(1)) == ["greeted", "hung_up"]


def test_a_further_hang_up_of_an_organization_at_its_limit_waits_behind_the_first(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=2)) as app:
        service = app.extensions["sticky-calls"]
        for number in (1, 2):
            posted(app, "voice", a_call(number))
        for number in (1, 2):
            posted(app, "status", a_call(number, CallStatus="completed"))
        assert apply_waiting(service) == 0
        service.clock.advance(days=31)
        assert apply_waiting(service) == 2


def test_without_an_inbox_nothing_waits(service: Service) -> None:
    assert apply_waiting(replace(service, inbox=None)) == 0


def test_a_hang_up_that_can_neither_be_saved_nor_kept_is_told_to_the_log_alone(
    app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_store(monkeypatch)
    monkeypatch.setattr(Inbox, "put", lambda *_: False)
    assert posted(app, "status", a_call(1, CallStatus="completed")).status == 204
    assert "neither be saved nor kept" in caplog.text


def test_an_unexpected_mistake_inside_greets_neutrally_and_puts_through(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.IntegrityError("a net below the engine has caught a mistake of ours")

    monkeypatch.setattr("adapter.usecases.start.recognize", broken)
    reply = posted(app, "voice", a_call(1))
    assert speech(reply) == NEUTRAL
    assert puts_through(reply)


def test_a_hang_up_repeated_after_a_month_changes_nothing(app: Flask, service: Service, api: Api) -> None:
    posted(app, "voice", a_call(1))
    over = a_call(1, CallStatus="completed", Timestamp="Sat, 07 Feb 2026 10:30:00 +0000")
    posted(app, "status", over)
    before = api.call(call_sid(1)).json
    service.clock.advance(days=31)
    posted(app, "status", over)
    assert api.call(call_sid(1)).json == before


def test_the_hang_up_of_a_call_refused_for_its_quota_is_not_charged_to_the_next_month(tmp_path: Path) -> None:
    with an_app(tmp_path, an_organization(monthly=2)) as app:
        service, api = app.extensions["sticky-calls"], Api(app.test_client(), issue_key(app))
        for number in range(4):
            posted(app, "voice", a_call(number))
        for number in (2, 3):
            posted(app, "status", a_call(number, CallStatus="completed"))
        service.clock.advance(days=31)
        assert apply_waiting(service) == 0
        assert [api.start(f"call-{number}", ani="+14155550123").status_code for number in range(3)] == [200, 200, 402]


def test_a_hang_up_is_kept_whatever_stands_in_its_way(
    app: Flask, service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(app, "voice", a_call(1))
    with monkeypatch.context() as patched:
        patched.setattr("adapter.usecases.end.charge", lambda *_: 1 / 0)
        assert posted(app, "status", a_call(1, CallStatus="completed")).status == 204
    assert events(api, call_sid(1)) == ["greeted"]
    assert apply_waiting(service) == 1
    assert events(api, call_sid(1)) == ["greeted", "hung_up"]


def test_a_kept_event_of_another_version_is_set_aside(app: Flask, service: Service, api: Api) -> None:
    assert service.inbox is not None
    posted(app, "voice", a_call(1))
    service.inbox.put({"version": 2})
    service.inbox.put(
        {"organization": "acme", "mode": "prod", "call_id": call_sid(1), "at": service.clock.now()}
        | {"duration_seconds": 3, "ani": None, "dnis": None}
    )
    assert apply_waiting(service) == 1
    assert list(service.inbox.waiting()) == []
