"""The app under test, on a real database: in the test's own folder, and once more on PostgreSQL."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import settings
from werkzeug.routing import Rule

from adapter.app import create_app
from adapter.config import Config
from adapter.usecases import Service
from tests import databases
from tests.builders import Api, CountedIds, ToldClock, Twilio, a_config, issue_key
from tests.examples import SUITE

settings.load_profile(SUITE)


@pytest.fixture(scope="session", autouse=True)
def _urls_are_compiled_once() -> None:
    """Werkzeug compiles two functions for each address of each app, the same ones for every test: most of what it takes
    to make an app, and thousands are made."""
    compiled: dict[object, Any] = {}
    compile_builder = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = remembered  # type: ignore[assignment,method-assign]


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives() -> None:
    """Run as a shell's background job, the suite would pass "ignore SIGINT" on to every server that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


# A test with one of these fixtures uses a database, and runs on each kind unless it is marked `sqlite` or `postgresql`.
_ON_A_STORE = frozenset({"app", "service", "api", "twilio", "store", "url"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = [kind for kind in databases.STORES if metafunc.definition.get_closest_marker(kind)]
    if marked or metafunc.definition.get_closest_marker("stores") or _ON_A_STORE & set(metafunc.fixturenames):
        metafunc.parametrize("store_kind", marked or databases.STORES, indirect=True)


@pytest.fixture(autouse=True)
def store_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which kind of database `databases.url_in` gives, and with it `a_config`."""
    databases.kind = getattr(request, "param", "sqlite")
    yield databases.kind
    databases.kind = "sqlite"
    databases.postgresql.take_back()


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Override in a module for other organizations, lines or policies."""
    return a_config(tmp_path)


@pytest.fixture
def app(config: Config, clock: ToldClock) -> Iterator[Flask]:
    databases.brought_up_to_date(config.database.url)
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
