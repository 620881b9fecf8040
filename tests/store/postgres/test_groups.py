"""Threads that write to one account share a transaction on PostgreSQL: each still succeeds or fails by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreInterrupted, StoreUnavailable
from adapter.store import clocks, meters
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.postgres.wire import Connection
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.store.postgres.test_connections import used
from tests.store.proxy import OnCommit, Proxy, proxied
from tests.store.sqlite.test_writelock import until
from tests.store.test_database import Boom
from tests.store.test_group_commit import add, fail

pytestmark = pytest.mark.postgresql
HERE, ALSO_HERE = Realm(0, 0), Realm(0, 1)
Work = Callable[[Transaction], object]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def together(store: Store, holder: Store, pool: ThreadPoolExecutor, *works: Work) -> list[Future[object]]:
    """Each in a thread of its own; they come while `holder` has the account's turn, and so get it together."""
    store.transact(HERE, lambda tx: None)
    group, come = store._groups[HERE.account], list[object]()
    real = group._hand_over

    def hand_over(job: object, how: object) -> None:
        real(job, how)
        come.append(job)

    group._hand_over = hand_over
    with holder.begin(HERE):
        realms = itertools.cycle((HERE, ALSO_HERE))
        futures = [pool.submit(store.transact, realm, work) for realm, work in zip(realms, works, strict=False)]
        assert until(lambda: len(come) == len(works))
    return futures


def break_a_rule(tx: Transaction) -> None:
    """Found out by the database, and not before all is sent."""
    tx.write(clocks._INSERT, {"boot_id": "twice", "offset_ms": 0})
    tx.write(clocks._INSERT, {"boot_id": "twice", "offset_ms": 0})


@pytest.fixture
def other(url: str, store: Store) -> Iterator[Store]:
    other = open_store(url, Keyring())
    yield other
    other.close()


def test_all_who_wait_share_one_commit(
    store: Store, other: Store, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[Connection] = []
    real = Connection.exchange

    def exchange(self: Connection, said: Any) -> Any:
        commits.extend(self for each in said if each.sql == "COMMIT")
        return real(self, said)

    monkeypatch.setattr(Connection, "exchange", exchange)
    futures = together(store, other, pool, *(add(amount) for amount in range(1, 11)))
    assert [future.result() for future in futures] == list(range(1, 11))
    assert len(commits) == 3, "one before, one of who held them up, and one of theirs"
    assert used(store) == sum(range(1, 11))


def test_whoever_fails_undoes_only_its_own(store: Store, other: Store, pool: ThreadPoolExecutor) -> None:
    first, broken, last = together(store, other, pool, add(1), fail, add(10))
    with pytest.raises(Boom):
        broken.result()
    assert (first.result(), last.result(), used(store)) == (1, 10, 11)


def test_what_the_database_refuses_late_is_its_own_failure_alone(
    store: Store, other: Store, pool: ThreadPoolExecutor
) -> None:
    first, broken, last = together(store, other, pool, add(1), break_a_rule, add(10))
    with pytest.raises(psycopg.errors.UniqueViolation):
        broken.result()
    assert (first.result(), last.result(), used(store)) == (1, 10, 11)


@pytest.mark.parametrize("patience", [None, 20.0], ids=["patient", "less hurried"])
def test_who_has_no_patience_left_takes_nobody_elses(
    store: Store, other: Store, pool: ThreadPoolExecutor, patience: float | None
) -> None:
    with other.begin(HERE):
        hurried = [pool.submit(store.transact, HERE, add(100), seconds) for seconds in (0.1, 0.5)]
        waits = pool.submit(store.transact, ALSO_HERE, add(1), patience)
        for each in hurried:
            with pytest.raises(StoreUnavailable, match="busy"):
                each.result()
    assert (waits.result(), used(store)) == (1, 1)


def test_a_lost_connection_is_nobodys_failure(store: Store, other: Store, pool: ThreadPoolExecutor) -> None:
    times: list[int] = []

    def cut_off(tx: Transaction) -> int:
        times.append(1)
        meters.charge(tx, 0, 100)
        if len(times) == 1:
            tx.plainly("SELECT pg_terminate_backend(pg_backend_pid())")
        return 100

    futures = together(store, other, pool, add(1), cut_off, add(10))
    assert [future.result() for future in futures] == [1, 100, 10]
    assert (len(times), used(store)) == (2, 111)


@pytest.mark.parametrize("on_commit", [OnCommit.LOSE, OnCommit.LOSE_THE_ANSWER])
def test_a_commit_nobody_heard_of_is_found_out_for_all(
    url: str, other: Store, pool: ThreadPoolExecutor, on_commit: OnCommit
) -> None:
    with proxied(url) as proxy:
        beyond = open_store(proxy.url, Keyring())
        beyond.transact(HERE, lambda tx: None)
        futures = together(beyond, other, pool, losing(proxy, on_commit, add(1)), add(10), add(100))
        assert [future.result() for future in futures] == [1, 10, 100]
        assert (used(other), proxy.on_commit) == (111, OnCommit.PASS)
        beyond.close()


def test_what_cannot_be_found_out_is_told_to_all_and_not_done_again(
    url: str, other: Store, pool: ThreadPoolExecutor
) -> None:
    with proxied(url) as proxy:
        beyond = open_store(proxy.url, Keyring(), lock_timeout_seconds=2.0)
        proxy.meanwhile = lambda: [setattr(proxy, "is_open", False), setattr(beyond, "_timeout", 0.1)]
        futures = together(beyond, other, pool, losing(proxy, OnCommit.LOSE_THE_ANSWER, add(1)), add(10))
        for future in futures:
            with pytest.raises(StoreUnavailable, match="cannot be found out") as told:
                future.result()
            assert not isinstance(told.value, StoreInterrupted)
        assert used(other) == 11
        beyond.close()


def losing(proxy: Proxy, on_commit: OnCommit, work: Work) -> Work:
    """The commit of the transaction that this is part of is lost, the first time."""
    times: list[int] = []

    def lost(tx: Transaction) -> object:
        times.append(1)
        if len(times) == 1:
            proxy.on_commit = on_commit
        return work(tx)

    return lost


def test_a_savepoint_that_was_never_sent_is_undone_all_the_same(store: Store) -> None:
    def fail_after_reading(tx: Transaction) -> None:
        meters.charge(tx, 0, 100)
        assert meters.used(tx, 0) == 101, "so it was sent"
        raise Boom

    def work(tx: Transaction) -> int:
        meters.charge(tx, 0, 1)
        with pytest.raises(Boom), tx.savepoint():
            fail(tx)
        with pytest.raises(Boom), tx.savepoint():
            fail_after_reading(tx)
        with tx.savepoint(), tx.savepoint():
            meters.charge(tx, 0, 10)
        return meters.used(tx, 0)

    assert (store.transact(HERE, work), used(store)) == (11, 11)
