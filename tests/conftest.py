"""The app under test, on a real SQLite database in the test's own folder."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.config import Config
from adapter.usecases import Service
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, issue_key


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives() -> None:
    """Run as a shell's background job, the suite would pass "ignore SIGINT" on to every server that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Override in a module for other organizations, lines or policies."""
    return a_config(tmp_path)


@pytest.fixture
def app(config: Config, clock: ToldClock) -> Iterator[Flask]:
    app = create_app(config, clock=clock, ids=CountedIds())
    yield app
    app.extensions["sticky-calls"].store.close()


@pytest.fixture
def service(app: Flask) -> Service:
    found: Service = app.extensions["sticky-calls"]
    return found


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app.test_client(), issue_key(app))


@pytest.fixture
def twilio(app: Flask) -> Twilio:
    return Twilio(app.test_client())
