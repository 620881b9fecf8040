"""The wiring: what one app is made of, what it does without its database, and gunicorn's door."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter import wsgi
from adapter.app import build_service, create_app
from adapter.config import Config, DatabaseConfig, SecurityConfig
from adapter.errors import ConfigError, StoreUnavailable
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.usecases import Service
from tests.builders import PEPPER, Api, CountedIds, ToldClock, Twilio, a_config, a_line, call_sid, issue_key

NEUTRAL = '<Say language="en-US">Welcome. One moment, please.</Say><Dial'


@pytest.fixture(autouse=True)
def _all_stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[Store] = []

    def remembered(*given: Any, **named: Any) -> Store:
        opened.append(open_store(*given, **named))
        return opened[-1]

    monkeypatch.setattr("adapter.app.open_store", remembered)
    yield
    for store in opened:
        with suppress(StoreUnavailable):
            store.close()


@pytest.fixture
def cut_off(tmp_path: Path, clock: ToldClock) -> Flask:
    """An app whose database's folder is not there (yet)."""
    config = a_config(tmp_path, security=SecurityConfig(pepper=PEPPER))
    gone = dataclasses.replace(config, database=DatabaseConfig(f"sqlite:///{tmp_path}/not-mounted/calls.db"))
    return create_app(gone, clock=clock, ids=CountedIds())


class TestWithoutItsDatabase:
    def test_the_app_comes_up_and_says_that_it_is_unhealthy(self, cut_off: Flask) -> None:
        answer = cut_off.test_client().get("/v1/health")
        assert answer.status_code == 503
        assert (answer.json["status"], answer.json["database"]) == ("unhealthy", "disconnected")

    def test_callers_are_greeted_neutrally_and_put_through(self, cut_off: Flask) -> None:
        answer = Twilio(cut_off.test_client()).voice(call_sid(1))
        assert answer.status_code == 200
        assert NEUTRAL in answer.text

    def test_a_hang_up_is_acknowledged(self, cut_off: Flask) -> None:
        assert Twilio(cut_off.test_client()).status(call_sid(1)).status_code == 204

    def test_the_api_asks_to_try_again(self, cut_off: Flask) -> None:
        answer = Api(cut_off.test_client(), f"sk_prod_{'a' * 8}{'b' * 43}").start("call_1", ani="+14155550123")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json["error"] == "Service Unavailable"

    def test_it_takes_up_its_work_once_the_database_is_there(
        self, cut_off: Flask, tmp_path: Path, clock: ToldClock
    ) -> None:
        (tmp_path / "not-mounted").mkdir(exist_ok=True)
        _service(cut_off).store.migrate()  # as another worker, or `db migrate`, would
        assert cut_off.test_client().get("/v1/health").status_code == 200
        api = Api(cut_off.test_client(), issue_key(cut_off))
        assert api.start("call_1", ani="+14155550123").status_code == 200


class TestALineOfAnUnknownOrganization:
    """The configuration's own check refuses it; an app made in another way must not drop calls for it."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return a_config(tmp_path, lines=(a_line(organization="nobody"),))

    def test_callers_are_greeted_neutrally_and_put_through(self, twilio: Twilio) -> None:
        answer = twilio.voice(call_sid(1))
        assert answer.status_code == 200
        assert NEUTRAL in answer.text

    def test_a_hang_up_is_acknowledged(self, twilio: Twilio) -> None:
        assert twilio.status(call_sid(1)).status_code == 204


class TestTwoAppsOnOneDatabase:
    @pytest.fixture
    def other(self, app: Flask, config: Config, clock: ToldClock) -> Flask:
        return create_app(config, clock=clock)

    def test_what_one_was_told_the_other_knows(self, api: Api, other: Flask) -> None:
        first = api.start("call_1", ani="+14155550123").json
        shown = Api(other.test_client(), api.key).call("call_1")
        assert shown.json["customer_ref"] == first["customer_ref"]

    def test_organizations_keep_their_numbers(self, app: Flask, other: Flask, api: Api) -> None:
        assert Api(other.test_client(), api.key).start("call_1", ani="+14155550123").status_code == 200
        assert api.start("call_1", ani="+14155550123").status_code == 409

    def test_both_measure_rates_by_one_steady_clock(self, config: Config) -> None:
        first, second = build_service(config).clock, build_service(config).clock
        before = first.steady()
        assert 0 <= second.steady() - before < 60_000
        # An offset of its own for each would differ by the time between the two starts.
        assert first._offset == second._offset  # type: ignore[attr-defined]


class TestMethods:
    def test_head_is_get_without_a_body(self, app: Flask) -> None:
        answer = app.test_client().head("/v1/health")
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["X-Request-Id"] == "req_test"

    @pytest.mark.parametrize(
        ("address", "allowed"),
        [
            # A call may be named "start": GET shows it.
            ("/v1/calls/start", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/v1/calls/end", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/v1/calls/call_1", {"GET", "HEAD", "OPTIONS"}),
            ("/v1/customers/x", {"GET", "HEAD", "DELETE", "OPTIONS"}),
            ("/v1/health", {"GET", "HEAD", "OPTIONS"}),
            ("/twilio/voice", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/twilio/status", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/twilio/turn/1", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/twilio/whisper/0123456789ab/1", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/twilio/whisper/0123456789ab/1/answer", {"GET", "HEAD", "POST", "OPTIONS"}),
        ],
    )
    def test_options_names_the_methods_of_an_address(self, app: Flask, address: str, allowed: set[str]) -> None:
        answer = app.test_client().options(address)
        assert (answer.status_code, answer.data) == (204, b"")
        assert set(answer.headers["Allow"].split(", ")) == allowed

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    def test_a_webhook_by_another_method_needs_its_signature_too(self, app: Flask, method: str) -> None:
        assert app.test_client().open("/twilio/voice", method=method).status_code == 403

    def test_the_reference_s_order_of_fields_is_kept(self, app: Flask) -> None:
        assert list(app.test_client().get("/v1/health").json) == ["status", "timestamp", "database"]


class TestGunicornsDoor:
    @pytest.fixture(autouse=True)
    def started(self, monkeypatch: pytest.MonkeyPatch) -> list[Service]:
        """What upkeep was started for. Neither the thread nor this process's logging is touched."""
        started: list[Service] = []
        monkeypatch.setattr(wsgi, "start_upkeep", started.append)
        monkeypatch.setattr(wsgi.logs, "configure", lambda *_: None)
        monkeypatch.delenv("ADAPTER_CONFIG", raising=False)
        return started

    def test_the_app_is_that_of_the_named_configuration_and_its_upkeep_runs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Service]
    ) -> None:
        file = tmp_path / "config.yaml"
        file.write_text(f"database: {{url: 'sqlite:///{tmp_path}/named.db'}}\n")
        monkeypatch.setenv("ADAPTER_CONFIG", str(file))
        app = wsgi.build()
        assert started == [_service(app)]
        assert (tmp_path / "named.db").exists()
        assert app.test_client().get("/v1/health").status_code == 200

    def test_without_a_file_the_environment_is_enough(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ADAPTER_DATABASE__URL", f"sqlite:///{tmp_path}/env.db")
        wsgi.build()
        assert (tmp_path / "env.db").exists()

    def test_a_mistake_in_the_configuration_stops_the_start(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Service]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ADAPTER_SERVER__WORKERS", "many")
        with pytest.raises(ConfigError):
            wsgi.build()
        assert started == []
        assert list(tmp_path.iterdir()) == []


def _service(app: Flask) -> Service:
    service: Service = app.extensions["sticky-calls"]
    return service


@pytest.mark.slow
def test_a_worker_holds_nothing_it_does_not_use(tmp_path: Path) -> None:
    """Twilio's client alone takes longer to import than a caller takes to be greeted; each of them is megabytes."""
    program = """
import sys
from pathlib import Path
from adapter.app import create_app
from adapter.config import Config, DatabaseConfig
create_app(Config(database=DatabaseConfig(url=sys.argv[1])))
heavy = {"twilio.rest", "psycopg", "alembic", "requests", "prometheus_client", "opentelemetry", "sqlalchemy.orm"}
print(*sorted(heavy & set(sys.modules)))
"""
    for _ in ("makes the database", "finds it"):
        done = subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path}/calls.db"],
            check=True,
            capture_output=True,
            text=True,
        )
    assert done.stdout.split() == []
