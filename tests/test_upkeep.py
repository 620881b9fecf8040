"""Housekeeping: kept hang-ups reach the database, expired data leaves it, and nothing stops the thread."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from adapter import upkeep
from adapter.app import create_app
from adapter.config import DatabaseConfig, SecurityConfig
from adapter.engine.policy import DAY, LimitPolicy, Policy
from adapter.errors import StoreDamaged, StoreUnavailable
from adapter.upkeep import keep_up, start_upkeep
from adapter.usecases import Service
from tests import databases
from tests.builders import Api, ToldClock, Twilio, a_config, an_organization, call_sid, issue_key


def test_a_hang_up_kept_while_the_database_was_away_is_applied_once_it_is_back(
    app: Flask, service: Service, api: Api, twilio: Twilio, tmp_path: Path
) -> None:
    twilio.voice(call_sid(1))
    databases.move_away(tmp_path)
    assert twilio.status(call_sid(1)).status_code == 204
    keep_up(service)
    databases.bring_back(tmp_path)
    assert _events(api, call_sid(1)) == ["greeted"]
    keep_up(service)
    assert _events(api, call_sid(1)) == ["greeted", "hung_up"]
    assert _used(tmp_path) == 2


def test_a_kept_hang_up_that_came_twice_is_charged_once(
    app: Flask, service: Service, twilio: Twilio, tmp_path: Path
) -> None:
    twilio.voice(call_sid(1))
    databases.move_away(tmp_path)
    twilio.status(call_sid(1))
    twilio.status(call_sid(1))
    databases.bring_back(tmp_path)
    twilio.status(call_sid(1))
    keep_up(service)
    keep_up(service)
    assert _used(tmp_path) == 2


def test_an_expired_variable_leaves_the_disk(service: Service, api: Api, clock: ToldClock, tmp_path: Path) -> None:
    ref = api.start("call_1", ani="+14155550123").json["customer_ref"]
    api.end("call_1", customer_ref=ref, variable_updates={"name": {"value": "Maria", "ttl_seconds": 60}})
    keep_up(service)
    assert databases.count(tmp_path, "variables") == 1
    clock.advance(seconds=60)
    keep_up(service)
    assert databases.count(tmp_path, "variables") == 0


@pytest.mark.parametrize("is_away", [False, True], ids=["the database is there", "the database is away"])
def test_what_was_set_aside_goes_with_the_calls_it_is_about(
    service: Service, clock: ToldClock, tmp_path: Path, is_away: bool
) -> None:
    """It may hold a number, and nobody would ever look for it again."""
    assert service.inbox is not None
    service.inbox.put({"version": 2})
    keep_up(service)
    (folder,) = tmp_path.rglob("*.inbox") if databases.kind == "sqlite" else tmp_path.rglob("inbox")
    (aside,) = folder.glob("*.broken")
    if is_away:
        databases.move_away(tmp_path)
    left = []
    for age in (90 * DAY, 90 * DAY + 1_000):
        os.utime(aside, times=((clock.now() - age) / 1_000,) * 2)
        keep_up(service)
        left.append(aside.exists())
    if is_away:
        databases.bring_back(tmp_path)
    assert left == [True, False]


def test_a_sweep_leaves_the_hits_of_a_window_longer_than_a_minute(tmp_path: Path, clock: ToldClock) -> None:
    policy = Policy(limits=LimitPolicy(window_seconds=120))
    app = create_app(a_config(tmp_path, an_organization(per_minute=10), policy=policy), clock=clock)
    service, api = app.extensions["sticky-calls"], Api(app.test_client(), issue_key(app))
    for _ in range(10):
        api.call("call_1")
    clock.advance(seconds=61)
    api.call("call_1")
    keep_up(service)
    refused = api.call("call_1").status_code
    service.store.close()
    assert refused == 429


def test_a_task_whose_database_is_away_is_postponed_and_the_next_one_still_tried(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(upkeep, "apply_waiting", _failing(StoreUnavailable("+14155550123 is away"), tried))
    monkeypatch.setattr(upkeep, "sweep", lambda _: tried.append("swept"))
    with caplog.at_level(logging.WARNING):
        keep_up(service)
    assert tried == ["failed", "swept"]
    assert [record.getMessage() for record in caplog.records] == ["upkeep postponed: store_unavailable"]


def test_damage_that_only_upkeep_meets_with_is_told_as_what_it_is(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "sweep", _failing(StoreDamaged("a page is malformed"), []))
    keep_up(service)
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the database is damaged, restore a backup (`sticky-calls db restore`): a page is malformed")
    ]


def test_a_mistake_in_a_task_is_logged_and_the_next_one_still_tried(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(upkeep, "apply_waiting", _failing(ZeroDivisionError("a mistake"), tried))
    monkeypatch.setattr(upkeep, "sweep", lambda _: tried.append("swept"))
    keep_up(service)
    assert tried == ["failed", "swept"]
    assert [record.getMessage() for record in caplog.records] == ["upkeep failed: ZeroDivisionError"]
    assert caplog.records[0].levelno == logging.ERROR


def test_the_thread_goes_on_round_after_round_until_it_is_stopped(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = threading.Semaphore(0)
    monkeypatch.setattr(upkeep, "keep_up", lambda _: rounds.release())
    stop = start_upkeep(service, every_seconds=0.001)
    thread = next(thread for thread in threading.enumerate() if thread.name == "upkeep")
    assert all(rounds.acquire(timeout=30) for _ in range(3))
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_the_thread_does_not_keep_a_worker_from_ending(service: Service) -> None:
    stop = start_upkeep(service, every_seconds=3_600)
    thread = next(thread for thread in threading.enumerate() if thread.name == "upkeep")
    assert thread.daemon
    stop.set()
    thread.join(timeout=30)


def _failing(error: Exception, tried: list[str]) -> Callable[[Service], None]:
    def task(_: Service) -> None:
        tried.append("failed")
        raise error

    return task


def _events(api: Api, call_id: str) -> list[str]:
    return [event["event"] for event in api.call(call_id).json["timeline"]]


def _used(folder: Path) -> int:
    return int(databases.rows(folder, "SELECT sum(used) FROM usage")[0][0])


def test_a_worker_that_came_up_without_the_database_prepares_it_later(tmp_path: Path) -> None:
    """Until then its rate windows are measured by its own clock alone."""
    folder = tmp_path / "not-mounted-yet"
    config = replace(
        a_config(tmp_path),
        database=DatabaseConfig(f"sqlite:///{folder / 'calls.db'}"),
        security=SecurityConfig(pepper=b"pepper-of-the-tests-32-bytes-lng"),
    )
    app = create_app(config)
    service, client = app.extensions["sticky-calls"], app.test_client()
    assert client.get("/v1/health").status_code == 503
    assert not service.clock.is_agreed
    folder.mkdir()
    keep_up(service)
    assert client.get("/v1/health").status_code == 200
    assert service.clock.is_agreed
    service.store.close()
