"""The databases that tests run on: a SQLite file in the test's folder, or a PostgreSQL database that belongs to it.

PostgreSQL is started by the tests themselves, once a process, from the binaries of the package `pgserver` (its own
Python API would create a system user), as an unprivileged user when we are root. With STICKY_CALLS_TEST_POSTGRESQL
(the URL of a superuser: databases and a role are made) that server is used instead. Emptied ones are used again.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.postgres.store import PostgresStore
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore
from adapter.store.tables import metadata

STORES = ("sqlite", "postgresql")
DSN = "STICKY_CALLS_TEST_POSTGRESQL"
# Nothing is lost that anybody would miss; tests of crashes say otherwise.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_UNPRIVILEGED = 65_534
_START_SECONDS = 30.0
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_NO_SERVER = (
    "no PostgreSQL for the tests: install the extra [test] on a Python for which `pgserver` has a wheel (3.11, 3.12), "
    f"or name a server in {DSN}=postgresql://user@host/postgres, or leave these tests out with -k 'not postgresql'"
)


@dataclass
class Server:
    """A PostgreSQL server of our own, in a folder of its own, listening on a socket in that folder only."""

    settings: Sequence[str] = FAST
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="sticky-pg-")))
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers."""
        if not (self.folder / "data").exists():
            self.folder.chmod(0o700)
            if os.geteuid() == 0:
                os.chown(self.folder, _UNPRIVILEGED, _UNPRIVILEGED)
            options = ("--username=tests", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
            subprocess.run(
                [_binary("initdb"), "-D", f"{self.folder}/data", *options],
                check=True,
                stdout=subprocess.DEVNULL,
                **self._as_nobody(),
            )
        options = ("listen_addresses=", "max_connections=200", "shared_buffers=32MB", *self.settings)
        flags = [word for option in options for word in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            command = [_binary("postgres"), "-D", f"{self.folder}/data", "-k", str(self.folder), *flags]
            # A group of its own: Ctrl-C at the terminal reaches the tests, which then stop the server in order.
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,
                **self._as_nobody(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2_000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it, whatever is connected, and remove everything."""
        self.end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """All its processes are gone at once, without a word; started again, it has to recover."""
        pids = self._pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            time.sleep(0.01)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It takes connections and questions, and answers nothing until `thaw`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """After `freeze`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def end(self, how: signal.Signals) -> None:
        """Send the main process a signal (SIGINT: disconnect everybody and stop; SIGQUIT: crash) and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(_START_SECONDS)

    def url(self, database: str) -> str:
        """How to connect."""
        return f"postgresql://tests@/{database}?host={self.folder}"

    def _pids(self) -> list[int]:
        """The main process and its children, each of which has a session of its own."""
        if self.process is None or self.process.poll() is not None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres")):
            return True
        return False

    @staticmethod
    def _as_nobody() -> dict[str, object]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return {"cwd": "/"}
        return {"cwd": "/", "user": _UNPRIVILEGED, "group": _UNPRIVILEGED, "extra_groups": []}


class _Databases:
    """One server's databases: made from a migrated one, handed out, taken back and emptied."""

    def __init__(self) -> None:
        self._named: str | None = os.environ.get(DSN)
        self._server: Server | None = None
        self._numbers = itertools.count()
        self._free: list[str] = []
        self._lent: dict[Path, str] = {}
        self._made: list[str] = []
        self._admin: psycopg.Connection[tuple[object, ...]] | None = None
        self._prefix = f"sticky_{os.getpid()}"
        self._connections: dict[str, psycopg.Connection[tuple[object, ...]]] = {}

    def url_in(self, folder: Path) -> str:
        """The database that belongs to this folder: migrated, and empty when it is asked for the first time."""
        if folder not in self._lent:
            self._lent[folder] = self._free.pop() if self._free else self._make(f"{self._prefix}_template")
        return self._url(self._lent[folder])

    def bare(self) -> str:
        """A new database without anything in it, never used again."""
        return self._url(self._make("template0"))

    def take_back(self, *folders: Path) -> None:
        """What was lent (to these, or to anybody) is emptied, whoever is still connected is thrown out."""
        for folder in folders or tuple(self._lent):
            name = self._lent.pop(folder, None)
            if name is not None:
                self._throw_out(name)
                self._empty(name)
                self._free.append(name)

    def allow(self, folder: Path, connections: bool) -> None:
        """False: nobody gets in any more, and who is in is thrown out."""
        name = self._lent[folder]
        self._start().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {connections}")
        if not connections:
            self._throw_out(name)

    def _make(self, template: str) -> str:
        admin = self._start()
        name = f"{self._prefix}_{next(self._numbers)}"
        self._throw_out(template)  # it cannot be copied while anybody is in it
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)
        return name

    def _start(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._admin is None:
            if self._named is None:
                self._server = Server()
                self._server.start()
            atexit.register(self._end)
            # Without prepared statements: the named server may be a PgBouncer.
            self._admin = psycopg.connect(self._url(None), autocommit=True, prepare_threshold=None)
            template = f"{self._prefix}_template"
            self._admin.execute(f"CREATE DATABASE {template} TEMPLATE template0")
            self._made.append(template)
            store = open_store(self._url(template), Keyring())
            store.migrate()
            store.close()
        return self._admin

    def _end(self) -> None:
        for connection in self._connections.values():
            connection.close()
        if self._admin is not None:
            for name in self._made if self._server is None else ():
                self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._admin.close()
        if self._server is not None:
            self._server.stop()

    def _url(self, database: str | None) -> str:
        if self._server is not None:
            return self._server.url(database or "postgres")
        assert self._named is not None
        parts = urlsplit(self._named)
        return urlunsplit(parts._replace(path=f"/{database}")) if database else self._named

    def _throw_out(self, name: str) -> None:
        assert self._admin is not None
        kept = self._connections.get(name)
        self._admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [name, 0 if kept is None else kept.info.backend_pid],
        )

    def _empty(self, name: str) -> None:
        self._connected(name).execute("; ".join(f"DELETE FROM {table}" for table in metadata.tables))

    def _connected(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        with suppress(psycopg.OperationalError, KeyError):
            self._connections[name].execute("SELECT 1")  # a test may have thrown everybody out
        if name not in self._connections or self._connections[name].closed:
            self._connections[name] = psycopg.connect(self._url(name), autocommit=True, prepare_threshold=None)
        return self._connections[name]


def _end_with_the_tests() -> None:
    """In the new process: be told to stop when the tests are killed, or the server would run for ever."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))


def _binary(name: str) -> str:
    return str(_installed() / "bin" / name)


@cache
def _installed() -> Path:
    """Where PostgreSQL's programs lie, for whoever runs them."""
    found = importlib.util.find_spec("pgserver")
    if found is None or found.origin is None:
        raise RuntimeError(_NO_SERVER)
    package = Path(found.origin).parent / "pginstall"
    if os.geteuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in (package, *package.parents)):
        return package
    # Root's own folders (a home, a temporary one) are closed to the unprivileged user who has to run them.
    folder = tempfile.mkdtemp(prefix="sticky-pg-programs-")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder)
    # With the libraries that lie beside the package: the programs look for them where they lie from there.
    for part in ("pgserver/pginstall", "pgserver.libs"):
        beside = package.parent.parent / part
        shutil.copytree(beside, f"{folder}/{part}", symlinks=True, ignore=shutil.ignore_patterns("*.a"))
    return Path(folder) / "pgserver" / "pginstall"


postgresql = _Databases()
# Which of STORES the running test is about.
kind = "sqlite"


def url_in(folder: Path) -> str:
    """The database that belongs to this folder, of the kind that the running test is about."""
    return postgresql.url_in(folder) if kind == "postgresql" else f"sqlite:///{folder / 'calls.db'}"


def brought_up_to_date(url: str) -> None:
    """A new SQLite database at this URL, if there is none yet: a copy, as migrating takes longer than most tests."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not path.exists():
        shutil.copy(migrated(), path)


@cache
def migrated() -> Path:
    """A SQLite database at this version, and empty: to be copied."""
    folder = tempfile.mkdtemp(prefix="sticky-calls-migrated-")
    atexit.register(shutil.rmtree, folder)
    store = open_store(f"sqlite:///{folder}/new.db", Keyring())
    store.migrate()
    store.close()
    return Path(folder) / "new.db"


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What SQL finds in the database that belongs to this folder, past the product."""
    return rows_at(url_in(folder), sql)


def rows_at(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What SQL (with ? for each value) finds in the database at this URL."""
    with reading(url) as found:
        return found(sql, *values)


@contextmanager
def reading(url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """`rows_at` for several questions: one connection, which cannot write."""
    if url.startswith("postgresql"):
        with psycopg.connect(url) as served:
            served.read_only = True
            yield lambda sql, *values: served.execute(sql.replace("?", "%s"), values).fetchall()
        return
    file = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connection:
        yield lambda sql, *values: connection.execute(sql, values).fetchall()


def count(folder: Path, table: str) -> int:
    """How many rows a table of this folder's database has."""
    return int(rows(folder, f"SELECT count(*) FROM {table}")[0][0])


def move_away(folder: Path) -> None:
    """From now on the database is not there, for whoever is connected, too."""
    if kind == "postgresql":
        postgresql.allow(folder, False)
        return
    for file in folder.glob("calls.db*"):
        if file.suffix == ".db" or file.name.endswith(("-wal", "-shm")):
            file.rename(file.with_name("away-" + file.name))


def bring_back(folder: Path) -> None:
    """After `move_away`."""
    if kind == "postgresql":
        postgresql.allow(folder, True)
        return
    for file in folder.glob("away-*"):
        file.rename(file.with_name(file.name.removeprefix("away-")))


@contextmanager
def without(folder: Path, table: str) -> Iterator[None]:
    """Somebody has given a table of this folder's database another name."""
    _rename(folder, table, "elsewhere")
    try:
        yield
    finally:
        _rename(folder, "elsewhere", table)


def _rename(folder: Path, table: str, to: str) -> None:
    url = url_in(folder)
    connect: Any = psycopg.connect if kind == "postgresql" else sqlite3.connect
    with closing(connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {to}")
        connection.commit()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else's program is writing to this SQLite file, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def replace_in_stores(monkeypatch: pytest.MonkeyPatch, method: str, by: Callable[..., object]) -> None:
    """A method of both kinds of store is `by` instead."""
    for store in (SqliteStore, PostgresStore):
        monkeypatch.setattr(store, method, by)
        if method == "begin":  # shared transactions begin by themselves
            monkeypatch.setattr(store, "_transact", Store._transact)
