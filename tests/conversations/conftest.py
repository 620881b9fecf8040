"""A phone at the app under test, whose clock moves with the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.app import create_app
from adapter.config import load
from adapter.replay import Call, Exchange, Network, Remembered, Script, Transcript, WsgiExchange
from tests import databases
from tests.builders import ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Api, ToldClock, issue_key

from .world import FULL, configuration


@dataclass
class Phone:
    """Calls the app over a network that remembers what it sent. `clock`: the app's, which calls move on."""

    app: Flask
    clock: ToldClock
    sent: Remembered

    def calls(self, caller: str, *script: Any, line: str = FULL, sid: str | None = None) -> Transcript:
        """One call from beginning to end."""
        call = Call(caller, line) if sid is None else Call(caller, line, sid=sid)
        return self.network().play(call, Script(*script))

    def network(self, exchange: Exchange | None = None, **options: Any) -> Network:
        return Network(
            exchange or self.sent,
            PUBLIC_URL,
            ACCOUNT,
            now=lambda: self.clock.now() / 1000,
            passes=lambda seconds: self.clock.advance(seconds=seconds),
            **options,
        )


@pytest.fixture
def make_app(tmp_path: Path, clock: ToldClock) -> Iterator[Callable[..., Flask]]:
    """Apps on the conversations' configuration, some of its sections changed."""
    made: list[Flask] = []

    def make(**sections: Any) -> Flask:
        config = load(configuration(tmp_path, PUBLIC_URL, **sections), {})
        databases.brought_up_to_date(config.database.url)
        app = create_app(config, clock=clock)
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["sticky-calls"].store.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app.test_client(), issue_key(app))


@pytest.fixture
def phone(app: Flask, clock: ToldClock) -> Phone:
    return a_phone(app, clock)


def a_phone(app: Flask, clock: ToldClock) -> Phone:
    return Phone(app, clock, Remembered(WsgiExchange(app, PUBLIC_URL, AUTH_TOKEN)))
