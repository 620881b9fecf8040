"""The store on PostgreSQL: any number of processes and machines, one writer at a time for each billing account.

Every write transaction first takes its account's turn: it locks the account's row in `turns`. So "lock, read, decide,
write" holds as it does on SQLite, and limits, quotas, first contacts and Idempotency-Keys are exact over any number of
nodes, at READ COMMITTED. The cost: transactions of one account queue up. So a transaction is short (a start is three
round trips, see `batches`), and the threads of a process that want to write to an account share one (see
`group_commit`): measured beside the database on two cores, 2 workers, one account, 900 starts a second without that and
2 200 with it. Accounts do not wait for each other.

A connection lost during COMMIT leaves it unknown whether that was committed, and doing it again could do it twice. So
each transaction leaves a mark beside its effect, in a row of its connection's own, and the mark is looked for under the
account's turn: whoever has the turn knows that the lost transaction is over. Leaves out: connections
(`connections`).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import psycopg

from adapter.clock import ticks
from adapter.engine.model import Millis, Realm
from adapter.errors import StoreInterrupted, StoreUnavailable
from adapter.store.database import Ahead, Store
from adapter.store.group_commit import GroupCommit, Job, Round
from adapter.store.sealing import Keyring
from adapter.store.transaction import NO_REALM, Transaction

from . import schema, turns
from .batches import Batches
from .clock import SteadyTime
from .connections import Connections, named, translate
from .transaction import PostgresTransaction, stages
from .wire import is_lost

T = TypeVar("T")

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_INSIDE = "a write transaction inside a write transaction would wait for itself"
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.2


class _InDoubt(StoreUnavailable):
    """Perhaps it is saved, perhaps not."""


class _Mistaken(StoreUnavailable):
    """A statement of ours had failed before."""


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
        """As `Store.begin`; alone in the realm's billing account. Everything is said at once, so what is wrong shows
        where it is."""
        batches = Batches(waits=False)
        hurry = None if at_most_seconds is None else min(at_most_seconds, self._timeout)
        with self._alone_in(realm.account, batches, hurry):
            yield PostgresTransaction(batches, realm, self.keyring, self._time)

    def _transact(
        self, realm: Realm, work: Callable[[Transaction], T], at_most_seconds: float | None, ahead: Ahead | None
    ) -> T:
        """Who writes to an account at the same time shares a turn and a commit."""
        if getattr(self._writing, "here", False):
            raise RuntimeError(_INSIDE)
        patience = self._timeout if at_most_seconds is None else min(at_most_seconds, self._timeout)
        group = self._groups.setdefault(realm.account, GroupCommit())
        hurried = at_most_seconds is not None
        job = Job(realm, work, time.monotonic() + patience, None, ahead, is_hurried=hurried)
        return group.do(job, self._together)

    def _together(self, round_: Round) -> None:
        """What `GroupCommit` wants done. What went wrong for all is tried again for each alone."""
        try:
            self._in_one_go(round_)
        except _InDoubt:
            raise  # doing it again could do it twice
        except StoreInterrupted:
            if all(time.monotonic() > job.deadline for job in round_.taken or round_.waiting):
                raise
            for job in round_.taken or round_.take():
                self._by_itself(job, is_interrupted=True)
        except (psycopg.Error, _Mistaken):
            for job in round_.taken or round_.take():
                self._by_itself(job, is_interrupted=False)

    def _in_one_go(self, round_: Round) -> None:
        """While others have the turn, whoever has no patience left steps out; the rest keep their place in the line."""
        batches = Batches(waits=True)
        begun = {job: self._begun(job, batches) for job in round_.waiting}
        hurry = None
        if all(job.is_hurried for job in round_.waiting):
            hurry = max(0.0, round_.deadline - time.monotonic())
        with self._alone_in(round_.waiting[0].realm.account, batches, hurry):
            works = [(job, begun.get(job) or self._begun(job, batches)) for job in round_.take()]
            for job, tx in works:
                if len(works) == 1:
                    job.run(tx)
                else:
                    job.run_apart(tx)

    def _begun(self, job: Job[Any], batches: Batches) -> PostgresTransaction:
        tx = PostgresTransaction(batches, job.realm, self.keyring, self._time)
        if job.ahead is not None:
            batches.foresee(stages(tx, job.ahead))
        return tx

    def _by_itself(self, job: Job[Any], *, is_interrupted: bool) -> None:
        try:
            self._until_done(job, is_interrupted)
            job.failed = None
        except Exception as error:  # noqa: BLE001 - its own thread raises it
            job.failed = error

    def _until_done(self, job: Job[Any], is_interrupted: bool) -> None:
        """Once interrupted, it is tried again for as long as a turn is waited for."""
        pauses = _pauses()
        while True:
            waits = max(0.0, job.deadline - time.monotonic())
            try:
                with self.begin(job.realm, waits if job.is_hurried else None) as tx:
                    job.run(tx)
                return
            except _InDoubt:
                raise  # doing it again could do it twice
            except StoreUnavailable as error:
                # A database that is away from the start is told at once: a caller is waiting.
                is_interrupted = is_interrupted or isinstance(error, StoreInterrupted)
                if not is_interrupted or time.monotonic() > job.deadline:
                    raise
            time.sleep(next(pauses))

    @contextmanager
    def _alone_in(self, account: int, batches: Batches, hurry: float | None) -> Iterator[None]:
        """A transaction that has the account's turn, committed when the block returns."""
        if getattr(self._writing, "here", False):
            raise RuntimeError(_INSIDE)
        self._writing.here = True
        mark, wishes = turns.new_mark(), batches.wishes()
        not_before = ticks()
        try:
            with self.connections.transaction(
                _BEGIN, hurry, lambda connection: [turns.asked(connection, account, mark), *wishes]
            ) as (connection, (turn, *answers)):
                batches.connection = connection
                if turns.is_taken(turn):
                    batches.learn(answers, not_before)
                else:
                    turns.take_first(connection, account)
                    batches.forget_wishes()
                yield
                lost = not _commit(batches)
            if lost and not self._was_committed(account, connection.holder, mark):
                raise StoreInterrupted("the connection was lost before the database had committed")
        finally:
            self._writing.here = False

    @contextmanager
    def read(self, realm: Realm) -> Iterator[PostgresTransaction]:
        """As `Store.read`."""
        batches = Batches(waits=False)
        with self.connections.transaction(_BEGIN_READING) as (batches.connection, _):
            yield PostgresTransaction(batches, realm, self.keyring, self._time)

    def migrate(self) -> None:
        """As `Store.migrate`."""
        with self.connections.alone(autocommit=False) as connection:
            schema.upgrade(connection)

    def schema_problems(self) -> list[str]:
        """As `Store.schema_problems`; damage is PostgreSQL's own to find (`pg_amcheck`)."""
        try:
            with self.connections.alone(autocommit=False) as connection:
                return schema.problems(connection)
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
        with self.connections.transaction(_BEGIN) as (connection, _):
            turns.forget_old_marks(connection)
        return True

    def compact(self) -> None:
        """VACUUM FULL: without a trace in the tables. Archived WAL and backups keep what they have."""
        with self.connections.alone(autocommit=True) as connection:
            for table in schema.tables():
                connection.execute(f"VACUUM (FULL, ANALYZE) {table}")

    def size(self) -> int:
        """Of our tables with their indexes."""
        with self.connections.alone(autocommit=True) as connection:
            return schema.size(connection)

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
        self._groups: dict[int, GroupCommit] = {}

    def _was_committed(self, account: int, holder: bytes, mark: bytes) -> bool:
        """How a transaction ended whose connection was lost on COMMIT; StoreUnavailable when that cannot be found out.

        Having the account's turn means that the lost transaction is over, in whatever way.
        """
        deadline, pauses = time.monotonic() + self._timeout, _pauses()
        asked = turns.last_mark_asked(account, holder)
        while True:
            try:
                with self.connections.transaction(_BEGIN, opening=lambda _: asked) as (connection, (_, found)):
                    return connection.rows(found) == [(mark,)]
            except StoreUnavailable as error:
                if time.monotonic() > deadline:
                    what = "the connection was lost on commit, and whether it was saved cannot be found out"
                    raise _InDoubt(what) from error
            time.sleep(next(pauses))


def _commit(batches: Batches) -> bool:
    """False when the connection was lost meanwhile: nobody knows yet."""
    if batches.failed is not None and (batches.waits or isinstance(batches.failed, StoreInterrupted)):
        # Somebody took it for a failure of their own: what was interrupted is never committed, and a savepoint may have
        # been none.
        raise batches.failed
    try:
        became = batches.commit()
    except psycopg.Error as error:
        if is_lost(batches.connection):
            return False
        raise translate(error, batches.connection) from error
    if became != "COMMIT":
        # A statement had failed and somebody went on: PostgreSQL then takes COMMIT for ROLLBACK without an error.
        raise _Mistaken("the database rolled back what was to be committed")
    return True


def _pauses() -> Iterator[float]:
    """Longer and longer, and not in step with others who wait for the same."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1.5)  # nosec B311  # noqa: S311 - no secret
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
