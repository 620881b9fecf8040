"""Overloaded, a worker serves callers and tells the API's clients to come back."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.metrics import Metrics
from adapter.store import inbox
from adapter.web import arrival, shedding
from adapter.web.shedding import Shedding, _Queue
from adapter.web.webhooks import in_time
from tests import databases
from tests.builders import CountedIds, Twilio, a_config, call_sid

API, CALLERS = "/v1/calls/start", "/twilio/voice"


class Door:
    """An app that answers when it is told to, with so many threads around it."""

    def __init__(self, threads: int) -> None:
        self.shedding = Shedding(self._app, threads, CountedIds())
        self.goes_on = threading.Event()
        self._inside = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(32)

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self._inside.release()
        assert self.goes_on.wait(30)
        start_response("200 OK", [])
        return [b"done"]

    def fill(self, path: str, times: int) -> None:
        """So many are being answered."""
        for _ in range(times):
            self._pool.submit(self.ask, path)
        for _ in range(times):
            assert self._inside.acquire(timeout=10)

    def ask(self, path: str) -> int:
        return asked(self.shedding, path)[0]

    def close(self) -> None:
        self.goes_on.set()
        self._pool.shutdown()


def asked(app: Any, path: str) -> tuple[int, dict[str, str], bytes]:
    told: list[Any] = []
    body = b"".join(app({"PATH_INFO": path, "REQUEST_METHOD": "POST"}, lambda *given: told.extend(given)))
    return int(told[0][:3]), dict(told[1]), body


@pytest.fixture
def door() -> Iterator[Callable[[int], Door]]:
    made: list[Door] = []

    def make(threads: int) -> Door:
        made.append(Door(threads))
        return made[-1]

    yield make
    for each in made:
        each.close()


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun so far has been at it for long."""
    monkeypatch.setattr(shedding, "_STANDSTILL_SECONDS", 0.0)


@pytest.mark.parametrize(("threads", "for_all"), [(1, 1), (2, 1), (4, 3), (8, 6), (16, 12)])
def test_while_nothing_moves_the_last_threads_are_for_callers(
    door: Callable[[int], Door], monkeypatch: pytest.MonkeyPatch, threads: int, for_all: int
) -> None:
    full = door(threads)
    full.fill(API, for_all - 1)
    stand_still(monkeypatch)
    full.fill(API, 1)
    assert full.ask(API) == 503
    full.fill(CALLERS, threads - for_all)
    full.goes_on.set()


def test_a_burst_that_moves_on_refuses_nobody(door: Callable[[int], Door]) -> None:
    full = door(4)
    full.fill(API, 4)
    full.goes_on.set()
    assert full.ask(API) == 200


def test_callers_take_threads_from_the_api_too(door: Callable[[int], Door], monkeypatch: pytest.MonkeyPatch) -> None:
    full = door(4)
    full.fill(CALLERS, 3)
    stand_still(monkeypatch)
    assert full.ask(API) == 503
    full.fill(CALLERS, 1)


def test_once_it_moves_again_everybody_is_served(door: Callable[[int], Door], monkeypatch: pytest.MonkeyPatch) -> None:
    full = door(2)
    full.fill(API, 1)
    with monkeypatch.context() as patched:
        stand_still(patched)
        assert full.ask(API) == 503
    full.goes_on.set()
    assert full.ask(API) == 200


def all_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "_ALL_STAND_STILL_SECONDS", 0.0)


def test_when_all_threads_stand_still_a_caller_hears_something_in_a_spare_one(
    door: Callable[[int], Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = door(4)
    full.fill(CALLERS, 4)
    all_stand_still(monkeypatch)
    waited: list[float] = []
    monkeypatch.setattr(full.shedding, "_app", lambda environ, start: waited.append(arrival.waited()) or [])
    for _ in range(3):  # spare threads are nobody's for long
        full.shedding({"PATH_INFO": CALLERS, "REQUEST_METHOD": "POST"}, lambda *_: None)
    assert arrival.waited() == 0.0, "the next request of this thread would be taken for one without a thread"
    assert waited == [math.inf] * 3


def test_when_all_threads_stand_still_the_api_is_refused_and_health_told(
    door: Callable[[int], Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = door(1)
    full.fill(CALLERS, 1)
    all_stand_still(monkeypatch)
    assert full.ask(API) == 503
    for path in ("/v1/health", "/readyz", "/healthz"):
        full.fill(path, 1)


def test_who_finds_all_threads_at_work_waits_for_one(door: Callable[[int], Door]) -> None:
    full = door(2)
    full.fill(CALLERS, 2)
    with ThreadPoolExecutor(1) as later:
        waiting = later.submit(full.ask, CALLERS)
        full.goes_on.set()
        assert waiting.result() == 200


WAITS = (
    ("nobody waits", [(0.0, 0.0)] * 5, True),
    ("a burst passes", [(0.1 * n, 0.1 * n) for n in range(10)], True),
    ("one after the other, each a burst of its own", [(3.0 * n, 0.9) for n in range(10)], True),
    ("long enough, and it stands", [(0.1 * n, 0.3) for n in range(15)], False),
    ("one that did not wait, and it begins anew", [(0.9, 0.5), (1.0, 0.0), (1.9, 0.5)], True),
)


@pytest.mark.parametrize(("waits", "has_room"), [each[1:] for each in WAITS], ids=[each[0] for each in WAITS])
def test_a_queue(waits: list[tuple[float, float]], has_room: bool) -> None:
    queue = _Queue()
    found = [queue.has_room(waited, 1_000 + now) for now, waited in waits]
    assert found[-1] is has_room


def test_while_a_queue_stands_the_api_gets_what_is_left_over() -> None:
    queue = _Queue()
    for tenth in range(20):
        queue.has_room(0.3, tenth / 10)
    assert queue.has_room(0.01, 2.0)
    assert not queue.has_room(0.03, 2.5)
    assert not queue.has_room(0.03, 3.4)
    assert queue.has_room(0.01, 4.5), "nobody has waited for a second"
    assert queue.has_room(0.2, 4.6)


@pytest.mark.parametrize(
    ("path", "status"),
    [(API, 503), ("/v1/calls/CA1", 503), (CALLERS, 200), ("/v1/health", 200), ("/readyz", 200), ("/metrics", 200)],
)
def test_who_waits_in_a_queue_that_stands(door: Callable[[int], Door], path: str, status: int) -> None:
    free = door(8)
    free.goes_on.set()
    free.shedding._queue._stands = True
    arrival.note_wait(0.03)
    try:
        assert free.ask(path) == status
    finally:
        arrival.note_wait(0.0)
    assert free.ask(path) == 200


def test_a_refusal_is_json_says_when_to_come_back_and_is_counted_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    app = Shedding(lambda *_: pytest.fail("it was served"), 8, CountedIds(), metrics)
    app._told_at -= 60
    app._queue._stands = True
    arrival.note_wait(1.0)
    try:
        answers = [asked(app, API) for _ in range(3)]
    finally:
        arrival.note_wait(0.0)
    status, headers, body = answers[0]
    assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "1", "application/json")
    assert headers["X-Request-Id"]
    assert json.loads(body)["error"] == "Service Unavailable"
    assert "sticky_calls_api_refused_busy_total 3.0" in metrics.page().decode()
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in told] == [
        "overloaded: requests to the API are refused, callers are served"
    ]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    config = a_config(tmp_path)
    databases.brought_up_to_date(config.database.url)
    app = create_app(config)
    yield app
    app.extensions["sticky-calls"].store.close()


@pytest.mark.stores
def test_the_app_as_a_whole_does_so(app: Flask) -> None:
    shed = app.wsgi_app
    assert isinstance(shed, Shedding)
    shed._queue._stands = True
    arrival.note_wait(2.0)
    try:
        assert app.test_client().post(API).status_code == 503
        caller = Twilio(app.test_client()).voice(call_sid(1))
    finally:
        arrival.note_wait(0.0)
    assert (caller.status_code, b"<Dial" in caller.data) == (200, True)
    assert app.test_client().post(API).status_code == 401


def test_the_page_about_it_has_the_numbers_of_the_code() -> None:
    page = " ".join((Path(__file__).parents[2] / "deploy" / "scaling.md").read_text("utf-8").split())
    for is_so, told in (
        (shedding.SPARE_THREADS == 4, "four threads more than `server.threads`"),
        (shedding._ALL_STAND_STILL_SECONDS == 0.25, "stood still for a quarter of a second"),
        (shedding._RESERVED_OF == 4 and shedding._STANDSTILL_SECONDS == 0.5, "One thread in four (2 of 8)"),
        (shedding._QUEUE_SECONDS == 0.25, "waited a quarter of a second for a thread, and that for a second"),
        (shedding._STANDING_SECONDS == 1.0, "until nobody has waited for a second"),
        (in_time._LONGEST_QUEUE_SHARE == 1 / 6, "a sixth of `twilio.webhook_deadline_ms`"),
        (inbox.MOST_BYTES == 64 * 1024**2, "(64 MiB)"),
    ):
        assert is_so, told
        assert told in page
