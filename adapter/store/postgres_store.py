"""The store on PostgreSQL: any number of processes and machines, one writer at a time for each billing account.

Every write transaction first takes its account's turn: it locks the account's row in `turns`. So "lock, read, decide,
write" holds as it does on SQLite, and limits, quotas, first contacts and Idempotency-Keys are exact over any number of
nodes, at READ COMMITTED. The cost: transactions of one account queue up. A start is 19 round trips; measured beside the
database on two cores: 230 starts a second in one account, 420 in four (SQLite: 770). Where a round trip takes 1 ms, one
account cannot do more than 50. Accounts do not wait for each other.

A connection lost during COMMIT leaves it unknown whether that was committed, and doing it again could do it twice. So
each transaction leaves a mark beside its effect, in a row of its connection's own, and the mark is looked for under the
account's turn: whoever has the turn knows that the lost transaction is over. Leaves out: connections (`postgres`).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import psycopg

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError, StoreInterrupted, StoreUnavailable

from . import postgres_schema, postgres_turns
from .database import NO_REALM, Row, Store, Transaction
from .postgres import Connection, Connections, is_lost, named, translate
from .postgres_time import SteadyTime
from .sealing import Keyring
from .statements import Bound, Dialect, Prepared

T = TypeVar("T")

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.2


class _InDoubt(StoreUnavailable):
    """Perhaps it is saved, perhaps not."""


class PostgresTransaction(Transaction):
    """On a connection of the pool. An interruption is remembered: what was interrupted must never be committed."""

    __slots__ = ("_connection", "_time", "interruption")
    dialect = Dialect.POSTGRESQL
    _driver_error = psycopg.Error

    def __init__(self, connection: Connection, realm: Realm, keyring: Keyring, steady: SteadyTime | None) -> None:
        super().__init__(realm, keyring)
        self._connection = connection
        self._time = steady
        self.interruption: StoreInterrupted | None = None

    def steady(self, told: Millis) -> Millis:
        """By the database's clock, which all nodes share; `told` until the store keeps time (see `steady_offset`)."""
        return told if self._time is None else self._time.read(self)

    def _run(self, statement: Prepared, values: Mapping[str, Bound]) -> psycopg.Cursor[Row]:
        sql, constants = statement.text(Dialect.POSTGRESQL)
        try:
            return self._connection.execute(sql, {**self._scope, **constants, **values})
        except psycopg.Error as error:
            raise self._translated(error) from error

    def _plainly(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except psycopg.Error as error:
            raise self._translated(error) from error

    def is_open(self) -> bool:
        """As `Transaction.is_open`."""
        return not is_lost(self._connection)

    def _translated(self, error: Exception) -> AdapterError | psycopg.Error:
        assert isinstance(error, psycopg.Error)
        translated = translate(error, self._connection)
        if isinstance(translated, StoreInterrupted):
            self.interruption = translated
        return translated


class PostgresStore(Store):
    """A database. `begin` finds out by itself how a commit ended; `transact` does interrupted work again."""

    def __init__(self, url: str, keyring: Keyring, lock_timeout_seconds: float, pool_size: int) -> None:
        self.name = named(url)
        self.keyring = keyring
        self._timeout = lock_timeout_seconds
        self._time: SteadyTime | None = None
        self._open: Callable[[], Connections] = lambda: Connections(url, lock_timeout_seconds, pool_size)
        self.renew()

    @classmethod
    def at(cls, url: str, keyring: Keyring, lock_timeout_seconds: float, pool_size: int) -> PostgresStore:
        """ConfigError when the URL is not understood."""
        return cls(url, keyring, lock_timeout_seconds, pool_size)

    @contextmanager
    def begin(self, realm: Realm, at_most_seconds: float | None = None) -> Iterator[PostgresTransaction]:
        """As `Store.begin`; alone in the realm's billing account."""
        if getattr(self._writing, "here", False):
            raise RuntimeError("a write transaction inside a write transaction would wait for itself")
        self._writing.here = True
        hurry = None if at_most_seconds is None else min(at_most_seconds, self._timeout)
        try:
            with self.connections.transaction(_BEGIN, hurry) as connection:
                mark = postgres_turns.take(connection, realm.account)
                tx = PostgresTransaction(connection, realm, self.keyring, self._time)
                yield tx
                if tx.interruption is not None:
                    raise tx.interruption
                lost = not postgres_turns.commit(connection)
            if lost and not self._was_committed(realm.account, connection.holder, mark):
                raise StoreInterrupted("the connection was lost before the database had committed")
        finally:
            self._writing.here = False

    def _transact(self, realm: Realm, work: Callable[[Transaction], T], at_most_seconds: float | None) -> T:
        """Once interrupted, it is tried again for as long as a turn is waited for."""
        patience = self._timeout if at_most_seconds is None else min(at_most_seconds, self._timeout)
        deadline, pauses = time.monotonic() + patience, _pauses()
        interrupted = False
        while True:
            try:
                with self.begin(realm, at_most_seconds) as tx:
                    return work(tx)
            except _InDoubt:
                raise  # doing it again could do it twice
            except StoreUnavailable as error:
                # A database that is away from the start is told at once: a caller is waiting.
                interrupted = interrupted or isinstance(error, StoreInterrupted)
                if not interrupted or time.monotonic() > deadline:
                    raise
            time.sleep(next(pauses))

    @contextmanager
    def read(self, realm: Realm) -> Iterator[PostgresTransaction]:
        """As `Store.read`."""
        with self.connections.transaction(_BEGIN_READING) as connection:
            yield PostgresTransaction(connection, realm, self.keyring, self._time)

    def migrate(self) -> None:
        """As `Store.migrate`."""
        with self.connections.alone(autocommit=False) as connection:
            postgres_schema.upgrade(connection)

    def schema_problems(self) -> list[str]:
        """As `Store.schema_problems`; damage is PostgreSQL's own to find (`pg_amcheck`)."""
        try:
            with self.connections.alone(autocommit=False) as connection:
                return postgres_schema.problems(connection)
        except StoreUnavailable as error:
            return [error.message]

    def steady_offset(self, boot_id: str, ticks: int, wall: Millis) -> int:
        """As `Store.steady_offset`; from now on transactions measure rate windows by the database's clock.

        The offset serves only what one process measures for itself.
        """
        if self._time is None:
            keeper = SteadyTime()
            self.transact(NO_REALM, keeper.begin)
            self._time = keeper
        return super().steady_offset(boot_id, ticks, wall)

    def truncate_log(self) -> bool:
        """There is no log of ours; forget how the transactions of connections that are long gone ended."""
        with self.connections.transaction(_BEGIN) as connection:
            postgres_turns.forget_old_marks(connection)
        return True

    def compact(self) -> None:
        """VACUUM FULL: without a trace in the tables. Archived WAL and backups keep what they have."""
        with self.connections.alone(autocommit=True) as connection:
            for table in postgres_schema.tables():
                connection.execute(f"VACUUM (FULL, ANALYZE) {table}")

    def size(self) -> int:
        """Of our tables with their indexes."""
        with self.connections.alone(autocommit=True) as connection:
            return postgres_schema.size(connection)

    def close(self) -> None:
        """As `Store.close`."""
        self.connections.close()

    def hold_still(self, around: ExitStack) -> None:
        """Nothing to do: the child begins with a pool of its own, whatever other threads do with this one."""

    def leave_behind(self) -> object:
        """The parent's sockets: a word of good-bye on one of them would end the parent's session."""
        inherited = self.connections
        self.renew()
        return inherited

    def renew(self) -> None:
        """Start afresh, without touching any connection there was."""
        self.connections = self._open()
        self._writing = threading.local()

    def _was_committed(self, account: int, holder: bytes, mark: bytes) -> bool:
        """How a transaction ended whose connection was lost on COMMIT; StoreUnavailable when that cannot be found out.

        Having the account's turn means that the lost transaction is over, in whatever way.
        """
        deadline, pauses = time.monotonic() + self._timeout, _pauses()
        while True:
            try:
                with self.connections.transaction(_BEGIN) as connection:
                    found = postgres_turns.last_mark(connection, account, holder)
                return found == mark
            except StoreUnavailable as error:
                if time.monotonic() > deadline:
                    what = "the connection was lost on commit, and whether it was saved cannot be found out"
                    raise _InDoubt(what) from error
            time.sleep(next(pauses))


def _pauses() -> Iterator[float]:
    """Longer and longer, and not in step with others who wait for the same."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
