"""PostgreSQL as a server's store: how connections are opened, kept, waited for and let go of.

Nothing is kept in a session that is not ours (no prepared statements, no SET without LOCAL, no advisory lock beyond a
transaction), so a PgBouncer in transaction mode may stand in between. Leaves out: what is said on a connection
(`wire`), transactions (`store`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
import sqlalchemy as sa
from psycopg import errors, pq
from psycopg.conninfo import conninfo_to_dict

from adapter.errors import AdapterError, ConfigError, StoreDamaged, StoreInterrupted, StoreMismatch, StoreUnavailable
from adapter.store.outage import Outage

from .wire import Connection, Said, first_line, is_idle, is_lost

# What a transaction on this connection begins with, behind its BEGIN.
Opening = Callable[[Connection], Sequence[Said]]

# libpq takes anything shorter for 2 as well.
CONNECT_SECONDS = 2
# What a statement may take beyond the wait for a lock, in the server; and when to give a silent server up. Whoever has
# little patience gives up at once: a caller hears nothing meanwhile.
_STATEMENT_SECONDS = 2.0
_SILENCE_SECONDS = 3.0
_HURRIED_SILENCE_SECONDS = 0.2
# A process that was stopped in the middle of a transaction must not keep everybody else from writing for ever.
_IDLE_SECONDS = 10.0
# A connection is replaced after so long: what a server's session or a PgBouncer has gathered goes with it, and after
# the database has moved nobody holds on to the old place.
_LIFETIME_SECONDS = 1_800
_OUR_MISTAKES = (psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.DataError, psycopg.InterfaceError)


class Connections:
    """One process's connections: at most `pool_size`, opened when they are needed and kept."""

    def __init__(self, url: str, timeout_seconds: float, pool_size: int) -> None:
        self._url = url
        self._timeout = timeout_seconds
        self._outage = Outage()
        self._pool = sa.pool.QueuePool(
            self._pooled,  # type: ignore[arg-type]  # psycopg's is what SQLAlchemy calls a DBAPI connection
            pool_size=pool_size,
            max_overflow=0,
            timeout=timeout_seconds,
            use_lifo=True,  # what is not needed falls idle, and the server's own limits can end it
            reset_on_return=None,
            recycle=_LIFETIME_SECONDS,
        )

    @contextmanager
    def transaction(
        self, begin: str, at_most_seconds: float | None = None, opening: Opening = lambda connection: ()
    ) -> Iterator[tuple[Connection, list[pq.abc.PGresult]]]:
        """A connection on which `begin` and then the opening was done, in one round trip, and the opening's results.

        Rolled back afterwards unless it has been committed by then. `at_most_seconds`: the longest wait for a lock,
        when the usual one is too long.
        """
        if at_most_seconds is None:
            waits, silence = self._timeout, self._timeout + _SILENCE_SECONDS
        else:
            waits, silence = at_most_seconds, at_most_seconds + _HURRIED_SILENCE_SECONDS
        begun = [Said(begin), *_limits(waits)]
        entry, connection, results = self._begun(lambda connection: [*begun, *opening(connection)], silence)
        try:
            yield connection, results[len(begun) :]
        finally:
            if is_idle(connection):
                entry.close()
            else:
                self._roll_back(entry, connection)

    @contextmanager
    def alone(self, *, autocommit: bool) -> Iterator[Connection]:
        """A connection beside the pool, without limits of time: for migrations and for what takes long."""
        connection = self._connect()
        try:
            connection.autocommit = autocommit
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Close what is idle."""
        self._pool.dispose()

    def _begun(
        self, opening: Opening, silence_seconds: float
    ) -> tuple[sa.PoolProxiedConnection, Connection, list[pq.abc.PGresult]]:
        """A connection may have died since it was last used: nothing is begun on it, and the next one is as good."""
        while True:
            opened_before = time.monotonic()
            try:
                entry = self._pool.connect()
            except sa.exc.TimeoutError as error:
                raise StoreUnavailable("the database is busy: no connection became free in time") from error
            connection = entry.dbapi_connection
            assert isinstance(connection, Connection)
            connection.patience_seconds = silence_seconds
            try:
                return entry, connection, connection.exchange(opening(connection))
            except psycopg.Error as error:
                fresh = connection.opened_at >= opened_before
                failure = translate(error, connection)
                if is_lost(connection):
                    entry.invalidate()
                    if not fresh:
                        continue
                else:
                    self._roll_back(entry, connection)
                raise failure from error

    def _roll_back(self, entry: sa.PoolProxiedConnection, connection: Connection) -> None:
        if not is_lost(connection):
            with suppress(psycopg.Error):
                connection.exchange([Said("ROLLBACK")])
        if is_idle(connection):
            entry.close()
        else:
            entry.invalidate()

    def _pooled(self) -> Connection:
        with self._outage.attempt():
            connection = self._connected()
            try:
                connection.speak_in_batches(CONNECT_SECONDS)
            except psycopg.Error as error:
                connection.close()
                raise _unreachable(error) from error
            return connection

    def _connect(self) -> Connection:
        with self._outage.attempt():
            return self._connected()

    def _connected(self) -> Connection:
        try:
            return Connection.connect(
                self._url,
                autocommit=True,  # the driver must not begin transactions of its own: BEGIN is ours
                prepare_threshold=None,
                connect_timeout=CONNECT_SECONDS,
            )
        except psycopg.OperationalError as error:
            raise _unreachable(error) from error


def _unreachable(error: psycopg.Error) -> StoreUnavailable:
    return StoreUnavailable(f"the database cannot be reached: {first_line(error)}")


def _limits(waits_seconds: float) -> list[Said]:
    """In the server, to the end of the transaction only."""
    limits = (
        ("lock_timeout", waits_seconds),
        ("statement_timeout", waits_seconds + _STATEMENT_SECONDS),
        ("idle_in_transaction_session_timeout", _IDLE_SECONDS),
    )
    # Never too short: what ends before a round's deadline is told to those who came later and can wait on, too.
    return [Said(f"SET LOCAL {name} = {int(seconds * 1_000) + 1}") for name, seconds in limits]


def translate(error: psycopg.Error, connection: Connection) -> AdapterError | psycopg.Error:
    """What a caller is told. Constraint violations and misuse stay as they are: they are our own mistakes."""
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected) or is_lost(connection):
        return StoreInterrupted(f"the database did not go through with it: {first_line(error)}")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        lacks = f"the database lacks what this version needs ({first_line(error)})"
        return StoreMismatch(f"{lacks}: run `sticky-calls db upgrade`")
    if isinstance(error, errors.LockNotAvailable):
        return StoreUnavailable("the database is busy: no turn to write within the time limit")
    if isinstance(error, errors.InsufficientPrivilege):
        return StoreUnavailable(f"the database cannot be used: {first_line(error)}")
    if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted):
        return StoreDamaged(f"the database is damaged: {first_line(error)}")
    if isinstance(error, _OUR_MISTAKES):
        return error
    return StoreUnavailable(f"the database cannot be used: {first_line(error)}")


def named(url: str) -> str:
    """The address for people: host, port and database, and nothing secret. ConfigError when it is not understood."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        # Not the error's own words: they quote the address, password and all.
        advice = "write postgresql://user@host/database"
        raise ConfigError([f"database.url: is not an address of a PostgreSQL database; {advice}"]) from None
    host, port = parts.get("host") or "localhost", parts.get("port")
    where = f"{host}:{port}" if port else str(host)
    return f"postgresql://{where}/{parts.get('dbname') or parts.get('user') or ''}"
