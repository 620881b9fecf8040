"""Writers share a transaction: one commit for all who wait, and each still succeeds or fails by itself."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreUnavailable
from adapter.store import group_commit, meters
from adapter.store.sqlite import connections as sqlite
from adapter.store.sqlite import store as sqlite_store
from adapter.store.sqlite.store import SqliteStore
from adapter.store.transaction import Transaction
from tests.store.sqlite.test_writelock import until
from tests.store.test_database import Boom, charge, used

pytestmark = pytest.mark.sqlite

Work = Callable[[Transaction], object]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@contextmanager
def nobody_may_write(store: SqliteStore) -> Iterator[None]:
    """Whoever wants to write meanwhile waits, and all of them then get their turn together."""
    with store.lock.held():
        yield


def come(store: SqliteStore, pool: ThreadPoolExecutor, realm: Realm, *works: Work) -> list[Future[object]]:
    """Each in a thread of its own, in this order, waiting when this returns."""
    futures = []
    for work in works:
        futures.append(pool.submit(store.transact, realm, work))
        assert until(lambda: len(store._group._waiting) == len(futures))
    return futures


def add(amount: int) -> Work:
    return lambda tx: meters.charge(tx, 0, amount) or amount


def fail(tx: Transaction) -> None:
    meters.charge(tx, 0, 1_000)
    raise Boom


def commits(store: SqliteStore, realm: Realm) -> list[str]:
    """A list to which every commit from now on is added."""
    charge(store, realm)
    seen: list[str] = []
    with store.lock.held():
        store.connections.writer().set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


def test_all_who_wait_share_one_commit(store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor) -> None:
    seen = commits(store, realm)
    with nobody_may_write(store):
        futures = come(store, pool, realm, *(add(amount) for amount in range(1, 11)))
    assert [future.result() for future in futures] == list(range(1, 11))
    assert len(seen) == 1
    assert used(store, realm) == 1 + sum(range(1, 11))


@pytest.fixture
def held(store: SqliteStore, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """The next checkpoint: that it has begun, and that it may end."""
    begun, may_end = threading.Event(), threading.Event()

    def slowly(*_: object, **__: object) -> None:
        begun.set()
        assert may_end.wait(10)

    charge(store, realm)
    monkeypatch.setattr(store.connections, "checkpoint_if_due", slowly)
    return begun, may_end


def test_nobody_waits_for_a_checkpoint(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor, held: tuple[threading.Event, threading.Event]
) -> None:
    begun, may_end = held
    first = pool.submit(store.transact, realm, add(1))
    assert begun.wait(10)
    assert first.result(5) == 1
    second = pool.submit(store.transact, realm, add(2))
    may_end.set()
    assert second.result(5) == 2
    assert used(store, realm) == 4


def test_who_alone_makes_a_checkpoint_due_waits_for_it(
    store: SqliteStore,
    realm: Realm,
    pool: ThreadPoolExecutor,
    held: tuple[threading.Event, threading.Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def much(tx: Transaction) -> None:
        for row in range(60):
            meters.charge(tx, row * 1_000_003)

    begun, may_end = held
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 60)
    future = pool.submit(store.transact, realm, much)
    assert begun.wait(10)
    with pytest.raises(TimeoutError):
        future.result(0.2)
    may_end.set()
    assert future.result(5) is None


def test_what_breaks_after_the_commit_is_nobodys_failure(
    store: SqliteStore, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise Boom

    monkeypatch.setattr(store.connections, "checkpoint_if_due", broken)
    assert store.transact(realm, add(1)) == 1
    assert store.transact(realm, add(2)) == 2
    assert used(store, realm) == 3


def test_it_is_quiet_until_several_write_together(store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor) -> None:
    for _ in range(3):
        store.transact(realm, add(1))
    assert store._group.is_quiet()
    with nobody_may_write(store):
        futures = come(store, pool, realm, *[add(1)] * 10)
        assert not store._group.is_quiet()
    for future in futures:
        future.result()
    store.transact(realm, add(1))
    assert not store._group.is_quiet()
    for _ in range(30):
        store.transact(realm, add(1))
    assert store._group.is_quiet()


def test_whoever_fails_undoes_only_its_own(store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor) -> None:
    with nobody_may_write(store):
        first, broken, last = come(store, pool, realm, add(1), fail, add(10))
    with pytest.raises(Boom):
        broken.result()
    assert (first.result(), last.result(), used(store, realm)) == (1, 10, 11)


@pytest.mark.parametrize("place", [0, 1], ids=["the first", "the second"])
def test_each_work_is_of_its_own_realm(store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor, place: int) -> None:
    other = Realm(realm.account + 1, realm.number)
    realms = [realm, other] if place else [other, realm]
    with nobody_may_write(store):
        futures = [come(store, pool, realms[0], add(1))[0]]
        futures.append(pool.submit(store.transact, realms[1], add(5)))
        assert until(lambda: len(store._group._waiting) == 2)
    assert [future.result() for future in futures] == [1, 5]
    assert (used(store, realms[0]), used(store, realms[1])) == (1, 5)


def test_a_commit_that_fails_fails_for_all_and_leaves_nothing(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(connection: sqlite3.Connection, sql: str) -> None:
        if sql == "COMMIT":
            raise StoreUnavailable("the disk is full")
        connection.execute(sql)

    with nobody_may_write(store):
        futures = come(store, pool, realm, add(1), add(10), add(100))
        monkeypatch.setattr(sqlite_store, "_plainly", full)
    errors = [future.exception() for future in futures]
    monkeypatch.undo()
    assert [str(error) for error in errors] == ["the disk is full"] * 3
    assert len({id(error) for error in errors}) == 3
    assert used(store, realm) == 0
    assert store.transact(realm, add(1)) == 1


def test_a_database_that_breaks_under_one_work_fails_them_all(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    def breaks(tx: Transaction) -> None:
        raise StoreUnavailable("the disk is gone")

    with nobody_may_write(store):
        futures = come(store, pool, realm, add(1), breaks, add(10))
    assert {str(future.exception()) for future in futures} == {"the disk is gone"}
    assert used(store, realm) == 0


def test_what_comes_after_a_transaction_that_was_given_up_is_not_committed_by_itself(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    """As SQLite does when it has no memory left."""

    def gives_up(tx: Transaction) -> None:
        tx._connection.execute("ROLLBACK")
        raise MemoryError

    with nobody_may_write(store):
        first, broken, last = come(store, pool, realm, add(1), gives_up, add(10))
    with pytest.raises(MemoryError):
        broken.result()
    assert {str(future.exception()) for future in (first, last)} == {"the database has given up the transaction"}
    assert used(store, realm) == 0


def test_who_waits_too_long_is_told_and_its_work_is_never_done(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    with nobody_may_write(store):
        leader, patient = come(store, pool, realm, add(1), add(10))
        with pytest.raises(StoreUnavailable, match="busy"):
            store.transact(realm, add(100), at_most_seconds=0.02)
    assert (leader.result(), patient.result(), used(store, realm)) == (1, 10, 11)


def test_the_writer_waits_for_as_long_as_anybody_does(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    with nobody_may_write(store):
        hasty = pool.submit(store.transact, realm, add(100), 0.05)
        assert until(lambda: len(store._group._waiting) == 1)
        patient = [pool.submit(store.transact, realm, add(1)) for _ in range(3)]
        with pytest.raises(StoreUnavailable, match="busy"):
            hasty.result()
    assert [future.result() for future in patient] == [1, 1, 1]
    assert used(store, realm) == 3


def test_who_comes_while_others_write_is_written_next(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    seen, inside, go_on = commits(store, realm), threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        inside.set()
        assert go_on.wait(5)

    first = pool.submit(store.transact, realm, slow)
    assert inside.wait(5)
    later = come(store, pool, realm, add(1), add(10), add(100))
    go_on.set()
    first.result()
    assert [future.result() for future in later] == [1, 10, 100]
    assert len(seen) == 2


def test_a_transaction_inside_a_transaction_is_told_at_once(store: SqliteStore, realm: Realm) -> None:
    with pytest.raises(RuntimeError, match="inside a write transaction"):
        store.transact(realm, lambda tx: store.transact(realm, add(1)))
    assert store.transact(realm, add(1)) == 1


def test_an_interrupted_wait_keeps_nobody_else_from_writing(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    """A signal's exception comes to the main thread, wherever it is."""

    def interrupt() -> None:
        assert until(lambda: len(store._group._waiting) == 2)
        time.sleep(0.1)  # a signal that comes just before the wait begins is seen when it is over, too late for both
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with nobody_may_write(store):
        (leader,) = come(store, pool, realm, add(1))
        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.transact(realm, add(100))
        (patient,) = [pool.submit(store.transact, realm, add(10))]
    assert (leader.result(), patient.result(), used(store, realm)) == (1, 10, 11)


def test_the_writer_survives_whatever_a_work_does(store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor) -> None:
    def exits(tx: Transaction) -> None:
        raise SystemExit

    with nobody_may_write(store):
        futures = come(store, pool, realm, exits, add(10))
    for future in futures:
        with pytest.raises(StoreUnavailable, match="given up: SystemExit"):
            future.result()
    assert used(store, realm) == 0
    assert store.transact(realm, add(1)) == 1


def test_who_is_in_a_hurry_does_not_wait_for_a_disk_that_hangs(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hangs(tx: Transaction) -> int:
        meters.charge(tx, 0, 1)
        inside.set()
        assert go_on.wait(30)
        return 1

    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="hangs: whether this was written is not known"):
        store.transact(realm, hangs, at_most_seconds=0.05)
    assert inside.is_set()
    with pytest.raises(StoreUnavailable, match="busy"):
        store.transact(realm, add(100), at_most_seconds=0.05)
    patient = pool.submit(store.transact, realm, add(10))
    assert time.monotonic() - began < 20
    go_on.set()
    assert patient.result() == 10
    assert used(store, realm) == 11


def test_a_thread_that_cannot_be_had_is_asked_for_again(
    store: SqliteStore, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    store.close()
    store.renew()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError, match="new thread"):
            store.transact(realm, add(100))
    assert store.transact(realm, add(1)) == 1
    assert used(store, realm) == 1


def test_a_thread_that_nobody_needs_ends_and_a_new_one_starts(
    store: SqliteStore, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_IDLE_SECONDS", 0.01)
    for _ in range(3):
        assert store.transact(realm, add(1)) == 1
        assert until(lambda: store._group._writer is None)
    assert used(store, realm) == 3


def test_threads_that_come_and_go_lose_nothing_and_wait_for_nobody_for_ever(
    store: SqliteStore, realm: Realm, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the writer, too, comes and goes."""
    monkeypatch.setattr(group_commit, "_IDLE_SECONDS", 0.0)
    unknown = []

    def come_and_go(number: int) -> int:
        done = 0
        for turn in range(40):
            try:
                done += store.transact(realm, add(1), at_most_seconds=0.001 if (number + turn) % 3 == 0 else None)
            except StoreUnavailable as error:
                if "not known" in error.message:
                    unknown.append(number)
        return done

    done = sum(pool.map(come_and_go, range(16)))
    assert until(lambda: store._group._writer is None)
    assert done >= 16 * 26
    assert done <= used(store, realm) <= done + len(unknown)
    assert not store._group._waiting
