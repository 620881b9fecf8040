"""Transactions on PostgreSQL, and the look ahead into what one is going to read. Leaves out: how what is said comes
together (`batches`), turns and outcomes (`store`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError
from adapter.store.database import Ahead
from adapter.store.sealing import Keyring
from adapter.store.statements import Bound, Dialect, Prepared
from adapter.store.transaction import Row, Transaction

from .batches import Batches, Known, Stages
from .clock import SteadyTime
from .wire import said

# What is known at once, and what follows from that.
_STAGES = 2


class _OnPostgres(Transaction):
    __slots__ = ("_batches", "_time")
    dialect = Dialect.POSTGRESQL

    def __init__(self, batches: Batches, realm: Realm, keyring: Keyring, steady: SteadyTime | None) -> None:
        super().__init__(realm, keyring)
        self._batches = batches
        self._time = steady

    def _all(self, statement: Prepared, values: Mapping[str, Bound]) -> dict[str, Bound]:
        return {**self._scope, **statement.text(Dialect.POSTGRESQL).constants, **values}


class PostgresTransaction(_OnPostgres):
    """One work's. Several of one account may share their batches, and with them one commit."""

    __slots__ = ()

    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        """As `Transaction.execute`."""
        return self._batches.execute(statement, self._all(statement, values))

    def write(self, statement: Prepared, values: Mapping[str, Bound]) -> None:
        """As `Transaction.write`."""
        self._batches.write(statement, self._all(statement, values))

    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        """As `Transaction.rows`."""
        return self._batches.rows(statement, self._all(statement, values))

    def dated(self, statement: Prepared, values: Mapping[str, Bound], within_ms: int) -> Known:
        """The rows, and between which ticks they were read: no further apart than this, if that can be."""
        return self._batches.dated(statement, self._all(statement, values), within_ms=within_ms)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """As `Transaction.savepoint`."""
        savepoint = self._batches.open_savepoint()
        try:
            yield
        except BaseException:
            # The connection may be lost, and what is undone with it.
            with suppress(AdapterError, psycopg.Error):
                self._batches.roll_back_to(savepoint)
            raise
        self._batches.release(savepoint)

    def steady(self, told: Millis) -> Millis:
        """By the database's clock, which all nodes share; `told` until the store keeps time (see `steady_offset`)."""
        return told if self._time is None else self._time.read(self, self.dated)

    def plainly(self, sql: str) -> None:
        """Run a statement without values."""
        self._batches.plainly(sql)


class _Foresight(_OnPostgres):
    """Finds what is known already and takes all else for nothing, but wishes for it."""

    __slots__ = ()

    def __init__(self, tx: PostgresTransaction) -> None:
        super().__init__(tx._batches, tx.realm, tx.keyring, tx._time)
        self._tokens = tx._tokens

    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        values = self._all(statement, values)
        asked = said(statement.text(Dialect.POSTGRESQL).sql, values)
        known = self._batches.known(asked)
        if known is not None:
            return known.rows
        self._batches.wish(asked, statement, values)
        return []

    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        raise AssertionError("what looks ahead writes nothing")

    def savepoint(self) -> AbstractContextManager[None]:
        raise AssertionError("what looks ahead writes nothing")

    def steady(self, told: Millis) -> Millis:
        if self._time is not None:
            self._time.foresee(self)
        return told


def stages(tx: PostgresTransaction, ahead: Ahead) -> Stages:
    """For `Batches.foresee`: what the work with this `ahead` is going to read, round trip by round trip."""
    foresight = _Foresight(tx)
    for _ in range(_STAGES):
        with suppress(AdapterError):  # it will be met again where it has to be told
            ahead(foresight)
        yield
