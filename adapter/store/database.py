"""One transaction at a time for writing, snapshots for reading, over one SQLite file.

`with store.begin(realm) as tx:` commits when the block returns and rolls back when it raises; it returns only after
the commit is on disk. Nothing foreign (network, logging, rendering) belongs inside: every writer waits for it.
Leaves out: what is read and written (the modules beside this one), the schema (`schema`), opening (`sqlite`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError, ConfigError, StoreUnavailable

from . import clocks, forks, schema
from .sealing import Keyring
from .sqlite import Connections, checkpoint, connect, translate
from .statements import Bound, Prepared
from .writelock import WriteLock

# For tables that belong to no realm (organizations, api_keys, clocks): caller data is never found under it.
NO_REALM = Realm(-1, -1)
# Many workers start at once, and each waits for the one that migrates.
_MIGRATION_SECONDS = 30.0
_SCHEME = "sqlite:///"

Row = tuple[Any, ...]


class Transaction:
    """What the store's functions work through. Not shared between threads, of no use after its block.

    The realm's `account` and `realm` are bound in every statement, and part of every token and seal: a row of one
    realm can neither be found nor opened from another.
    """

    __slots__ = ("_connection", "_depth", "_scope", "keyring", "realm")

    def __init__(self, connection: sqlite3.Connection, realm: Realm, keyring: Keyring) -> None:
        self.realm = realm
        self.keyring = keyring
        self._connection = connection
        self._scope: dict[str, Bound] = {"account": realm.account, "realm": realm.number}
        self._depth = 0

    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        """Run it; the number of rows changed. StoreUnavailable when the database fails."""
        return self._run(statement, values).rowcount

    def execute_many(self, statement: Prepared, values: Iterable[Mapping[str, Bound]]) -> None:
        """Run it once for each."""
        for each in values:
            self._run(statement, each)

    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        """Run it; all rows."""
        try:
            return self._run(statement, values).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error

    def row(self, statement: Prepared, values: Mapping[str, Bound]) -> Row | None:
        """Run it; the first row, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is undone when the block raises (and the exception goes on)."""
        self._depth += 1
        name = f"savepoint_{self._depth}"
        _plainly(self._connection, f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            # After a full disk SQLite may have ended the whole transaction already.
            if self._connection.in_transaction:
                _plainly(self._connection, f"ROLLBACK TO {name}")
                _plainly(self._connection, f"RELEASE {name}")
            raise
        else:
            _plainly(self._connection, f"RELEASE {name}")
        finally:
            self._depth -= 1

    def token(self, kind: str, *parts: str) -> bytes:
        """Under which index a new row of this realm is kept."""
        return self.keyring.token(kind, str(self.realm.account), str(self.realm.number), *parts)

    def tokens(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Under which indexes a row of this realm may be found."""
        return self.keyring.tokens(kind, str(self.realm.account), str(self.realm.number), *parts)

    def seal(self, table: str, key: bytes, text: str) -> bytes:
        """Seal a value for the row of `table` with this primary key (below the realm)."""
        return self.keyring.seal(text, self._context(table, key))

    def open(self, table: str, key: bytes, sealed: bytes) -> str:
        """Open what `seal` made; SealBroken."""
        return self.keyring.open(sealed, self._context(table, key))

    def _context(self, table: str, key: bytes) -> bytes:
        return f"{table}:{self.realm.account}:{self.realm.number}:".encode() + key

    def _run(self, statement: Prepared, values: Mapping[str, Bound]) -> sqlite3.Cursor:
        sql = statement.sql
        try:
            return self._connection.execute(sql, {**self._scope, **statement.constants, **values})
        except sqlite3.Error as error:
            raise translate(error) from error


class Store:
    """The database of one service. Shared by all threads; a forked child opens connections of its own."""

    def __init__(self, path: Path, keyring: Keyring, lock_timeout_seconds: float) -> None:
        self.path = path
        self.keyring = keyring
        self._timeout = lock_timeout_seconds
        self.renew()

    @classmethod
    def open(cls, url: str, keyring: Keyring, *, lock_timeout_seconds: float = 2.0) -> Store:
        """`url` is sqlite:///relative.db or sqlite:////absolute.db. Touches nothing until first used."""
        name = url.removeprefix(_SCHEME)
        if not url.startswith(_SCHEME) or name in ("", ":memory:") or "?" in name:
            raise ConfigError(["database.url: not a SQLite file, write sqlite:///path/to/file.db"])
        store = cls(Path(os.path.abspath(name)), keyring, lock_timeout_seconds)
        forks.watch(store)
        return store

    @contextmanager
    def begin(self, realm: Realm, at_most_seconds: float | None = None) -> Iterator[Transaction]:
        """A write transaction: alone, durable when the block has returned, without a trace when it raises.

        `at_most_seconds`: wait no longer than this for the turn to write, for whom the store's own patience is too
        long. StoreUnavailable when the lock is not had in time, or the database is missing, read-only, full or broken.
        """
        patience = self._timeout if at_most_seconds is None else min(at_most_seconds, self._timeout)
        deadline = time.monotonic() + patience
        with self.lock.held(patience):
            connection = self.connections.writer()
            try:
                if at_most_seconds is None:
                    _plainly(connection, "BEGIN IMMEDIATE")
                else:
                    _begin_by(connection, deadline)
                yield Transaction(connection, realm, self.keyring)
                _plainly(connection, "COMMIT")
            except BaseException as error:
                self._roll_back(connection, error)
                raise
            self.connections.checkpoint_if_long(connection)

    @contextmanager
    def read(self, realm: Realm) -> Iterator[Transaction]:
        """A snapshot: everything inside sees one state. Waits for nobody, writes nothing."""
        with self.connections.reader() as connection:
            _plainly(connection, "BEGIN")
            yield Transaction(connection, realm, self.keyring)

    def ping(self) -> None:
        """StoreUnavailable unless a real table of this product can be read now."""
        try:
            with self.read(NO_REALM) as tx:
                clocks.any_row(tx)
        except AdapterError as error:
            raise StoreUnavailable(error.message) from error

    def migrate(self) -> None:
        """Create the database, or bring it to this version; any number of workers may do so at once.

        StoreMismatch for a database of a newer version, or one that is not ours.
        """
        with self.lock.held(max(_MIGRATION_SECONDS, self._timeout)):
            connection = connect(self.path, self._timeout, create=True)
            try:
                schema.upgrade(connection)
            finally:
                connection.close()

    def schema_problems(self) -> list[str]:
        """What `db check` tells: damage in the file, a schema that is not at this version. Empty: all is well."""
        try:
            with self.connections.reader() as connection:
                return schema.problems(connection)
        except StoreUnavailable as error:
            return [error.message]

    def steady_offset(self, boot_id: str, ticks: int, wall: Millis) -> int:
        """What to add to ticks since boot for a time that never steps: decided once a boot, for all workers."""
        with self.begin(NO_REALM) as tx:
            return clocks.offset(tx, boot_id, ticks, wall)

    def truncate_log(self) -> bool:
        """Leave nothing in the write-ahead log (deleted values are in it until then). False: a reader needs it."""
        if self.connections.log_is_empty():
            return True
        with self.lock.held():
            try:
                return checkpoint(self.connections.writer())
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

    def close(self) -> None:
        """Let go of all connections not in use; the store opens new ones when used again."""
        with suppress(StoreUnavailable), self.lock.held():
            self.connections.drop_writer()
        with self.connections.mutex:
            self.connections.close_readers()

    def renew(self) -> None:
        """Start afresh: in a forked child, nothing of the parent's connections or lock may be used."""
        self.lock = WriteLock(Path(f"{self.path}.lock"), self._timeout)
        self.connections = Connections(self.path, self._timeout)

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
    usual = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    left = max(0, round(1000 * (deadline - time.monotonic())))
    _plainly(connection, f"PRAGMA busy_timeout={left}")
    try:
        _plainly(connection, "BEGIN IMMEDIATE")
    finally:
        _plainly(connection, f"PRAGMA busy_timeout={usual}")


def _plainly(connection: sqlite3.Connection, sql: str) -> None:
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        raise translate(error) from error
