"""The servers that are measured, each under the product's own gunicorn settings: product (on SQLite, and on a
PostgreSQL of its own on the same machine), floor, typical app."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg
import yaml

from adapter.app import build_service
from adapter.config import load
from adapter.config.pepper import pepper_for
from adapter.engine.model import EndCall, Hints, LineType, Mode, VariableUpdate
from adapter.store import keys
from adapter.usecases import Service, end_call
from tests import databases
from tests.builders import ACCOUNT, AGENTS, AUTH_TOKEN, PEPPER
from tests.serving import caller_number, free_port, line_number

WORKERS, THREADS = 2, 8
_REPOSITORY = Path(__file__).parent.parent.parent
_TYPICAL_KEY = "sk_prod_of-the-typical-app"
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server. `key`: what its API takes."""

    name: str
    port: int
    key: str
    pid: int
    started_in: float
    # Called when it has warmed up.
    settle: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def product(folder: Path, customers: int) -> Iterator[Subject]:
    """`sticky-calls serve` on a database with this many known callers."""
    yield from _populated("product", folder, customers, None)


@contextmanager
def postgresql(folder: Path, customers: int) -> Iterator[Subject]:
    """The same on PostgreSQL, which shares the machine and writes what it commits to the disk."""
    server = databases.Server(settings=("fsync=on",))
    server.start()
    try:
        for subject in _populated("postgresql", folder, customers, server.url("postgres")):
            yield replace(subject, settle=partial(_counted, server))
    finally:
        server.stop()


def _counted(server: databases.Server) -> None:
    """What autovacuum does within a minute: plans made for empty tables are made anew."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("ANALYZE")


def _populated(name: str, folder: Path, customers: int, database_url: str | None) -> Iterator[Subject]:
    port = free_port()
    path = configuration(folder, port, database_url)
    config = load(path, {})
    service = build_service(config)
    populate(service, customers)
    key, _ = keys.issue(service.store, pepper_for(config), "acme", Mode.PROD, "bench", service.clock.now())
    service.store.close()
    yield from serve(name, path, port, key)


@contextmanager
def floor(folder: Path, customers: int) -> Iterator[Subject]:
    """The smallest route."""
    port = free_port()
    yield from _running("floor", _gunicorn(folder, port, "tests.benchmarks.floor:build()"), port, "none", {})


@contextmanager
def typical(folder: Path, customers: int) -> Iterator[Subject]:
    """What an engineer would write first, knowing the same callers."""
    port = free_port()
    database = folder / "typical.db"
    environ = {
        "TYPICAL_DATABASE": f"sqlite:///{database}",
        "TYPICAL_TOKEN": AUTH_TOKEN,
        "TYPICAL_URL": f"http://127.0.0.1:{port}",
    }
    os.environ |= environ
    from .typical import build

    build()
    _populate_typical(database, customers)
    yield from _running(
        "typical", _gunicorn(folder, port, "tests.benchmarks.typical:build()"), port, _TYPICAL_KEY, environ
    )


SUBJECTS = {"floor": floor, "product": product, "postgresql": postgresql, "typical": typical}


def populate(service: Service, customers: int) -> None:
    """Callers on mobiles, with a name and two variables more, as ended calls left them."""
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    for count in range(customers):
        updates = tuple(
            VariableUpdate(name, value)
            for name, value in (("name", f"Maria {count}"), ("plan", "gold"), ("city", "Graz"))
        )
        hints = Hints(ani=caller_number(count), line_type=LineType.MOBILE)
        end_call(service, principal, EndCall(f"seed_{count}", hints=hints, variables=updates))


def _known_of(count: int) -> tuple[tuple[str, str], ...]:
    return ("name", f"Maria {count}"), ("plan", "gold"), ("city", "Graz")


def _populate_typical(database: Path, customers: int) -> None:
    connection = sqlite3.connect(database)
    digest = hashlib.sha256(_TYPICAL_KEY.encode()).hexdigest()
    connection.execute("INSERT INTO api_key VALUES (?, 'acme')", (digest,))
    for count in range(customers):
        ref = f"00000000-0000-4000-8000-{count:012d}"
        connection.execute("INSERT INTO customer VALUES (?, '2026-01-01 00:00:00')", (ref,))
        connection.execute("INSERT INTO number VALUES (?, ?)", (caller_number(count), ref))
        for name, value in _known_of(count):
            connection.execute("INSERT INTO variable (customer_ref, name, value) VALUES (?, ?, ?)", (ref, name, value))
    connection.commit()
    connection.close()


def configuration(folder: Path, port: int, database_url: str | None = None) -> Path:
    """The product's, of which the others take the server's settings. Without an address: a SQLite file."""
    settings = {
        "database": {"url": database_url or f"sqlite:///{folder / 'product.db'}", "state_dir": str(folder)},
        "server": {"bind": f"127.0.0.1:{port}", "workers": WORKERS, "threads": THREADS},
        "organizations": [{"id": "acme", "tier": "unlimited"}],
        "twilio": {
            "public_url": f"http://127.0.0.1:{port}",
            "accounts": [{"sid": ACCOUNT, "auth_tokens": [AUTH_TOKEN]}],
        },
        "lines": [{"number": line_number(0), "destination": {"dial": AGENTS}}],
        "logging": {"level": "warning"},
    }
    if database_url:
        settings["security"] = {"pepper": PEPPER.decode()}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return path


def _gunicorn(folder: Path, port: int, app: str) -> list[str]:
    """The settings of `sticky-calls serve`, for another app."""
    path = folder / f"{app.split('.')[2].split(':')[0]}.conf.py"
    path.write_text(
        "from pathlib import Path\n"
        "from adapter.cli.serving.application import settings\n"
        "from adapter.config import load\n"
        f"globals().update(settings(load(Path({str(configuration(folder, port))!r}), {{}})))\n",
        "utf-8",
    )
    return [sys.executable, "-m", "gunicorn", "-c", str(path), app]


def serve(name: str, path: Path, port: int, key: str) -> Iterator[Subject]:
    """The product with this configuration."""
    yield from _running(name, [sys.executable, "-m", "adapter", "serve", "--config", str(path)], port, key, {})


def _running(name: str, command: list[str], port: int, key: str, environ: dict[str, str]) -> Iterator[Subject]:
    clean = {each: value for each, value in os.environ.items() if not each.startswith("ADAPTER_")}
    before = time.perf_counter()
    process = subprocess.Popen(command, env={**clean, "PYTHONPATH": str(_REPOSITORY), **environ}, cwd=_REPOSITORY)
    try:
        _wait_until_it_answers(port, process)
        yield Subject(name, port, key, process.pid, time.perf_counter() - before)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            opener.open(f"http://127.0.0.1:{port}/v1/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the server did not start")
