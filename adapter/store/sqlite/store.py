"""The store on one SQLite file: one writer at a time on the whole machine, and a group of readers beside it.

Leaves out: how connections are opened and kept (`connections`), the lock (`writelock`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from adapter.engine.model import Realm
from adapter.errors import ConfigError, StoreUnavailable
from adapter.store import schema
from adapter.store.database import Ahead, Store
from adapter.store.group_commit import GroupCommit, Job, Round
from adapter.store.sealing import Keyring
from adapter.store.statements import Bound, Dialect, Prepared
from adapter.store.transaction import Row, Transaction

from .connections import Connections, checkpoint, connect, is_busy, translate
from .writelock import WriteLock

# Many workers start at once, and each waits for the one that migrates.
_MIGRATION_SECONDS = 30.0
_SCHEME = "sqlite:///"

T = TypeVar("T")


class SqliteTransaction(Transaction):
    """On the connection of whoever holds the write lock, or on a reader's."""

    __slots__ = ("_connection", "_depth")
    dialect = Dialect.SQLITE

    def __init__(self, connection: sqlite3.Connection, realm: Realm, keyring: Keyring) -> None:
        super().__init__(realm, keyring)
        self._connection = connection
        self._depth = 0

    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        """As `Transaction.execute`."""
        return self._run(statement, values).rowcount

    def write_many(self, statement: Prepared, values: Iterable[Mapping[str, Bound]]) -> None:
        """As `Transaction.write_many`, in one call of the driver."""
        sql, constants = statement.text(Dialect.SQLITE)
        known = {**self._scope, **constants}
        try:
            self._connection.executemany(sql, ({**known, **each} for each in values))
        except sqlite3.Error as error:
            raise translate(error) from error

    def execute_rows(self, statement: Prepared, rows: Iterable[Row]) -> None:
        """Run it once for each row, whose values take the places of its question marks: half the cost of names."""
        try:
            self._connection.executemany(statement.text(Dialect.SQLITE).sql, rows)
        except sqlite3.Error as error:
            raise translate(error) from error

    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        """As `Transaction.rows`."""
        try:
            return self._run(statement, values).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """As `Transaction.savepoint`."""
        self._depth += 1
        name = f"savepoint_{self._depth}"
        _plainly(self._connection, f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            # SQLite may have ended the whole transaction already, after a full disk.
            if self.is_open():
                _plainly(self._connection, f"ROLLBACK TO {name}")
                _plainly(self._connection, f"RELEASE {name}")
            raise
        else:
            _plainly(self._connection, f"RELEASE {name}")
        finally:
            self._depth -= 1

    def is_open(self) -> bool:
        """False: SQLite has given it up."""
        return self._connection.in_transaction

    def _run(self, statement: Prepared, values: Mapping[str, Bound]) -> sqlite3.Cursor:
        sql, constants = statement.text(Dialect.SQLITE)
        try:
            return self._connection.execute(sql, {**self._scope, **constants, **values})
        except sqlite3.Error as error:
            raise translate(error) from error


class SqliteStore(Store):
    """A file. A fork closes its connections first: SQLite forbids one to live on in a child."""

    keeps_deadlines = True

    def __init__(self, path: Path, keyring: Keyring, lock_timeout_seconds: float) -> None:
        self.path = path
        self.name = str(path)
        self.keyring = keyring
        self._timeout = lock_timeout_seconds
        self.renew()

    @classmethod
    def at(cls, url: str, keyring: Keyring, lock_timeout_seconds: float) -> SqliteStore:
        """`url` is sqlite:///relative.db or sqlite:////absolute.db."""
        name = url.removeprefix(_SCHEME)
        if not url.startswith(_SCHEME) or name in ("", ":memory:") or "?" in name:
            wanted = "write sqlite:///path/to/file.db or postgresql://user@host/database"
            raise ConfigError([f"database.url: neither a SQLite file nor a PostgreSQL database; {wanted}"])
        return cls(Path(os.path.abspath(name)), keyring, lock_timeout_seconds)

    @contextmanager
    def begin(self, realm: Realm, at_most_seconds: float | None = None) -> Iterator[SqliteTransaction]:
        """As `Store.begin`: BEGIN IMMEDIATE, under a lock that is fair to all threads and processes."""
        with self._writing(self._deadline(at_most_seconds)) as connection:
            yield SqliteTransaction(connection, realm, self.keyring)

    def _transact(
        self, realm: Realm, work: Callable[[Transaction], T], at_most_seconds: float | None, ahead: Ahead | None
    ) -> T:
        """Who writes at the same time shares a commit. Reading costs no round trip, so nothing is read ahead."""
        deadline = self._deadline(at_most_seconds)
        last = None if at_most_seconds is None else deadline + at_most_seconds
        return self._group.do(Job(realm, work, deadline, last), self._together)

    @contextmanager
    def read(self, realm: Realm) -> Iterator[SqliteTransaction]:
        """As `Store.read`."""
        with self.connections.reader() as connection:
            _plainly(connection, "BEGIN")
            yield SqliteTransaction(connection, realm, self.keyring)

    def migrate(self) -> None:
        """As `Store.migrate`."""
        with self.lock.held(max(_MIGRATION_SECONDS, self._timeout)):
            connection = connect(self.path, self._timeout, create=True)
            try:
                schema.upgrade(connection)
            finally:
                connection.close()

    def schema_problems(self) -> list[str]:
        """As `Store.schema_problems`; reads the whole file."""
        try:
            with self.connections.reader() as connection:
                return schema.problems(connection)
        except StoreUnavailable as error:
            return [error.message]

    def truncate_log(self) -> bool:
        """Leave nothing in the write-ahead log (deleted values are in it until then). False: a reader needs it."""
        if self.connections.log_is_empty():
            return True
        with self.lock.held():
            try:
                return checkpoint(self.connections.writer(), cut=True)
            except sqlite3.Error as error:
                raise translate(error) from error

    def compact(self) -> None:
        """Write the whole file anew: smaller, and without a trace of what was deleted. Writers wait for as long.

        SQLite overwrites what is deleted, but splitting a page can leave a copy of a row in the page's slack. Where
        values are stored plainly (no encryption key, or before the first `rekey`) only this removes the last of them.
        """
        with self.lock.held():
            _plainly(self.connections.writer(), "VACUUM")
        self.truncate_log()

    def size(self) -> int:
        """Of the file; without what is still in the write-ahead log."""
        return self.path.stat().st_size

    def close(self) -> None:
        """As `Store.close`."""
        with suppress(StoreUnavailable), self.lock.held():
            self.connections.drop_writer()
        with self.connections.mutex:
            self.connections.close_readers()

    def hold_still(self, around: ExitStack) -> None:
        """Hold the writers up and close what is idle; nobody opens anything between here and the fork."""
        self.connections.mutex.acquire()
        if self.connections.is_closed():
            around.callback(self.connections.mutex.release)
            return
        self.connections.mutex.release()
        try:
            around.enter_context(self.lock.held())
        except (StoreUnavailable, RuntimeError):
            # Busy for too long, or forking inside a transaction: the child leaves the writer's connection alone.
            writing = True
        else:
            writing = False
        around.enter_context(self.connections.mutex)
        if not writing:
            self.connections.drop_writer()
        self.connections.close_readers()

    def leave_behind(self) -> object:
        """Nothing of the parent's connections or lock may be used."""
        self.lock.abandon()
        inherited = self.connections
        self.renew()
        return inherited

    def renew(self) -> None:
        """Start afresh, without touching any connection there was."""
        self.lock = WriteLock(Path(f"{self.path}.lock"), self._timeout)
        self.connections = Connections(self.path, self._timeout)
        self._group = GroupCommit()

    def _deadline(self, at_most_seconds: float | None) -> float:
        return time.monotonic() + (self._timeout if at_most_seconds is None else min(at_most_seconds, self._timeout))

    @contextmanager
    def _writing(self, deadline: float, committed: Callable[[], None] = lambda: None) -> Iterator[sqlite3.Connection]:
        with self.lock.held(max(0.0, deadline - time.monotonic())):
            connection = self.connections.writer()
            try:
                _begin_by(connection, deadline)
                yield connection
                _plainly(connection, "COMMIT")
            except BaseException as error:
                self._roll_back(connection, error)
                raise
            # An import would take its own checkpoint for a caller who is in its way, and go on in small steps.
            if not self.connections.makes_checkpoint_due(connection):
                committed()
            self.connections.checkpoint_if_due(connection, is_quiet=self._group.is_quiet())

    def _together(self, round_: Round) -> None:
        """What `GroupCommit` wants done. They do not wait for a checkpoint: with millions of customers it takes longer
        than ten commits."""
        with self._writing(round_.deadline, round_.tell) as connection:
            jobs = round_.take()
            for job in jobs:
                tx = SqliteTransaction(connection, job.realm, self.keyring)
                if len(jobs) == 1:
                    job.run(tx)
                else:
                    job.run_apart(tx)
                    if not tx.is_open():
                        # It gives up whole transactions when it has no memory or no disk; what came now would be
                        # committed alone.
                        raise StoreUnavailable("the database has given up the transaction")

    def _roll_back(self, connection: sqlite3.Connection, error: BaseException) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.connections.drop_writer()
        if isinstance(error, StoreUnavailable):
            self.connections.drop_writer()


def _begin_by(connection: sqlite3.Connection, deadline: float) -> None:
    """Somebody else's program may hold SQLite's own lock: what is left of the patience is spent on that."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.Error as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise translate(error) from error


def _plainly(connection: sqlite3.Connection, sql: str) -> None:
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        raise translate(error) from error
