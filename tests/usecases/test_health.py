"""Whether calls can be saved, known within a second."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.errors import StoreDamaged
from adapter.store import calls
from adapter.usecases import Service, health
from tests import databases
from tests.builders import Twilio, a_config, call_sid
from tests.store.sqlite.test_writelock import until

pytestmark = pytest.mark.stores


def paths(app: Flask) -> dict[str, int]:
    return {path: app.test_client().get(path).status_code for path in ("/v1/health", "/readyz", "/healthz")}


def test_a_service_at_work_is_healthy_ready_and_alive(app: Flask) -> None:
    assert paths(app) == {"/v1/health": 200, "/readyz": 200, "/healthz": 200}
    assert app.test_client().get("/readyz").json == {"status": "ready"}
    assert app.test_client().get("/healthz").json == {"status": "alive"}


def test_without_its_database_it_is_alive_and_no_more(app: Flask, tmp_path: Path) -> None:
    databases.move_away(tmp_path)
    assert paths(app) == {"/v1/health": 503, "/readyz": 503, "/healthz": 200}
    assert app.test_client().get("/readyz").json == {"status": "not ready"}
    databases.bring_back(tmp_path)
    # At once; but a PgBouncer in between tries again only after a second.
    assert until(lambda: paths(app) == {"/v1/health": 200, "/readyz": 200, "/healthz": 200}, 3)


def test_a_database_that_hangs_is_told_within_a_second_to_everybody_who_asks(
    app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, asked = threading.Event(), threading.Semaphore(0)
    real = type(service.store).transact

    def hangs(*given: object, **named: Any) -> object:
        asked.release()
        assert goes_on.wait(30)
        return real(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        databases.replace_in_stores(patched, "transact", hangs)
        for _ in range(2):
            began = time.monotonic()
            assert not health(service)
            assert time.monotonic() - began < 1.0
    assert asked.acquire(timeout=1)
    assert not asked.acquire(blocking=False), "one thread hangs, not one for each who asks"
    goes_on.set()
    until = time.monotonic() + 10
    while not health(service):
        assert time.monotonic() < until


@pytest.mark.sqlite
def test_reading_alone_is_no_health(service: Service) -> None:
    """Somebody else's program holds the database's own lock: every caller would hear the neutral greeting."""
    impatient = replace(service, patience_seconds=0.2)
    with databases.locked(Path(service.store.name)):
        assert not health(impatient)
    assert health(impatient)


def test_whoever_asks_again_and_again_does_not_make_the_disk_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = a_config(tmp_path)
    databases.brought_up_to_date(config.database.url)
    app = create_app(config)
    service = app.extensions["sticky-calls"]
    written: list[int] = []
    real = type(service.store).transact

    def counted(*given: object, **named: Any) -> object:
        written.append(1)
        return real(*given, **named)  # type: ignore[arg-type]

    databases.replace_in_stores(monkeypatch, "transact", counted)
    assert {app.test_client().get("/v1/health").status_code for _ in range(20)} == {200}
    assert len(written) <= 2
    Twilio(app.test_client()).voice(call_sid(1))
    before = len(written)
    assert health(service)
    assert len(written) == before
    service.store.close()


@pytest.mark.parametrize("table", ["calls", "variables", "tombstones"])
def test_who_lacks_a_table_is_not_healthy(service: Service, tmp_path: Path, table: str) -> None:
    assert health(service)
    with databases.without(tmp_path, table):
        service.outage._worked_at = None  # a second later
        assert not health(service)
    service.outage._damaged_at = None  # half a minute later
    assert health(service)


def test_damage_that_a_call_has_met_with_is_told_until_a_call_goes_well(
    app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No look from outside finds a damaged page in the middle of a table."""
    twilio = Twilio(app.test_client())
    assert health(service)
    with monkeypatch.context() as patched:
        patched.setattr(calls, "find", lose_a_page)
        twilio.voice(call_sid(1))
    service.outage._worked_at = None  # a second later
    assert not health(service)
    twilio.voice(call_sid(2))
    assert health(service)


def lose_a_page(*_: object) -> None:
    raise StoreDamaged("database disk image is malformed")
