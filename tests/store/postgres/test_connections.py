"""The store on PostgreSQL: what is interrupted is done again, and a commit nobody heard of is found out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from adapter.engine.model import Realm
from adapter.errors import ConfigError, StoreInterrupted, StoreUnavailable
from adapter.store import meters
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.postgres.connections import named
from adapter.store.postgres.wire import Said
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.store.proxy import OnCommit, Proxy, proxied

pytestmark = pytest.mark.postgresql
HERE, ELSEWHERE = Realm(0, 0), Realm(1, 0)


class Work:
    """Charges, and counts how often it was asked to."""

    def __init__(self, first: str = "", elsewhere: bool = False) -> None:
        self.times = 0
        self._first, self._elsewhere = first, elsewhere

    def __call__(self, tx: Transaction) -> int:
        self.times += 1
        meters.charge(tx, 0)
        if self._first and self.times == 1:
            tx.plainly(self._first)
        return self.times


def used(store: Store, realm: Realm = HERE) -> int:
    with store.read(realm) as tx:
        return meters.used(tx, 0)


@pytest.fixture
def proxy(url: str, store: Store) -> Iterator[Proxy]:
    with proxied(url) as proxy:
        yield proxy


@pytest.fixture
def beyond(proxy: Proxy) -> Iterator[Store]:
    """A store on the far side of the proxy."""
    store = open_store(proxy.url, Keyring(), lock_timeout_seconds=1.0)
    yield store
    store.close()


# Interrupted work is done again


@pytest.mark.parametrize(
    "interruption",
    [
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
    ids=["serialization failure", "deadlock", "lost connection"],
)
def test_interrupted_work_is_done_again_as_a_whole(store: Store, interruption: str) -> None:
    work = Work(interruption)
    assert (store.transact(HERE, work), work.times, used(store)) == (2, 2, 1)


def test_an_interruption_that_somebody_took_for_a_failure_is_not_committed(store: Store) -> None:
    """Use cases catch what goes wrong in an effect, and count the request all the same."""
    times = []

    def work(tx: Transaction) -> str:
        times.append(1)
        meters.charge(tx, 0)
        with suppress(StoreInterrupted), tx.savepoint():
            if len(times) == 1:
                tx.plainly("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")
            return "done"
        return "failed"

    assert (store.transact(HERE, work), len(times), used(store)) == ("done", 2, 1)


def test_a_statement_that_failed_unheard_is_not_taken_for_a_commit(store: Store) -> None:
    def work(tx: Transaction) -> None:
        meters.charge(tx, 0)
        with suppress(psycopg.Error):
            tx.plainly("SELECT 1/0")

    with pytest.raises(StoreUnavailable, match="rolled back"):
        store.transact(HERE, work)
    assert used(store) == 0


def test_work_that_is_interrupted_for_ever_is_given_up_in_time(url: str, store: Store) -> None:
    impatient = open_store(url, Keyring(), lock_timeout_seconds=0.2)
    began = time.monotonic()
    with pytest.raises(StoreInterrupted):
        impatient.transact(HERE, lambda tx: tx.plainly("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert time.monotonic() - began < 2
    impatient.close()


def test_a_deadlock_is_nobodys_failure(url: str, store: Store) -> None:
    """Two accounts that write each other's rows: nothing does so, and it would still go well."""
    patient = open_store(url, Keyring(), lock_timeout_seconds=30.0)  # PostgreSQL takes a second to see one
    barrier, times = threading.Barrier(2), []

    def cross(first: int, second: int) -> None:
        def work(tx: Transaction) -> None:
            times.append(first)
            tx.execute(meters._CHARGE, {"account": first, "period": 0, "used": 1})
            if len(times) <= 2:
                barrier.wait(10)
            tx.execute(meters._CHARGE, {"account": second, "period": 0, "used": 1})

        patient.transact(Realm(first, 0), work)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    patient.close()
    assert len(times) >= 3  # who begins anew may be the first at its row again, and the two meet once more
    assert (used(store, HERE), used(store, ELSEWHERE)) == (2, 2)


# A connection lost on COMMIT


@pytest.mark.parametrize(("on_commit", "times"), [(OnCommit.LOSE, 2), (OnCommit.LOSE_THE_ANSWER, 1)])
def test_what_was_committed_unheard_is_not_done_again_and_what_was_not_is(
    proxy: Proxy, beyond: Store, store: Store, on_commit: OnCommit, times: int
) -> None:
    beyond.transact(HERE, lambda tx: meters.charge(tx, 0))
    proxy.on_commit = on_commit
    work = Work()
    assert (beyond.transact(HERE, work), work.times, used(store)) == (times, times, 2)


@pytest.mark.parametrize(("on_commit", "times"), [(OnCommit.LOSE, 2), (OnCommit.LOSE_THE_ANSWER, 1)])
def test_others_who_write_meanwhile_change_nothing_about_that(
    proxy: Proxy, beyond: Store, store: Store, on_commit: OnCommit, times: int
) -> None:
    def others() -> None:
        if on_commit is OnCommit.LOSE_THE_ANSWER:  # else the lost transaction still has the turn
            for _ in range(3):
                store.transact(HERE, lambda tx: meters.charge(tx, 0, 10))

    proxy.meanwhile, proxy.on_commit = others, on_commit
    work = Work()
    beyond.transact(HERE, work)
    assert work.times == times
    assert used(store) % 10 == 1


def test_what_cannot_be_found_out_is_told_as_such_and_not_done_again(proxy: Proxy, beyond: Store, store: Store) -> None:
    proxy.on_commit = OnCommit.LOSE_THE_ANSWER
    proxy.meanwhile = lambda: setattr(proxy, "is_open", False)
    work = Work()
    with pytest.raises(StoreUnavailable, match="cannot be found out") as told:
        beyond.transact(HERE, work)
    assert not isinstance(told.value, StoreInterrupted)
    assert (work.times, used(store)) == (1, 1)


def test_nor_is_it_when_it_was_interrupted_before(proxy: Proxy, beyond: Store, store: Store) -> None:
    beyond._timeout = 5.0  # patience enough for one more try
    times: list[int] = []

    def work(tx: Transaction) -> None:
        times.append(1)
        meters.charge(tx, 0)
        if len(times) == 1:
            tx.plainly("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")
        proxy.on_commit = OnCommit.LOSE_THE_ANSWER
        proxy.meanwhile = lambda: setattr(proxy, "is_open", False)
        beyond._timeout = 0.1

    with pytest.raises(StoreUnavailable, match="cannot be found out"):
        beyond.transact(HERE, work)
    assert (len(times), used(store)) == (2, 1)


# Turns


def test_accounts_do_not_wait_for_each_other(store: Store) -> None:
    with store.begin(HERE) as tx:
        meters.charge(tx, 0)
        thread = threading.Thread(target=store.transact, args=(ELSEWHERE, Work()))
        thread.start()
        thread.join()
        assert used(store, ELSEWHERE) == 1


def test_who_waits_too_long_for_a_turn_is_refused(url: str, store: Store) -> None:
    impatient = open_store(url, Keyring(), lock_timeout_seconds=0.1)
    with store.begin(HERE), pytest.raises(StoreUnavailable, match="busy: no turn"):
        impatient.transact(HERE, Work())
    impatient.transact(HERE, Work())
    impatient.close()


def test_who_has_less_patience_than_the_store_gives_up_earlier(store: Store) -> None:
    began = time.monotonic()
    with store.begin(HERE), ThreadPoolExecutor(1) as thread:
        hurried = thread.submit(store.transact, HERE, Work(), 0.05)
        with pytest.raises(StoreUnavailable, match="busy"):
            hurried.result()
    assert time.monotonic() - began < 1


def test_who_finds_no_free_connection_is_refused(url: str, store: Store) -> None:
    small = open_store(url, Keyring(), lock_timeout_seconds=0.1, pool_size=1)
    with small.read(HERE):
        with pytest.raises(StoreUnavailable, match="no connection became free"):
            used(small)
        with pytest.raises(StoreUnavailable, match="busy: no"):
            small.transact(HERE, Work())
    small.transact(HERE, Work())
    small.close()


def test_marks_of_connections_that_are_gone_are_forgotten_after_a_day(url: str, store: Store) -> None:
    store.transact(HERE, Work())
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO turns VALUES (0, '\\x01', '\\x02', 0)")
    assert store.truncate_log()
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT holder, at FROM turns WHERE account = 0 ORDER BY at").fetchall()
    assert [(len(holder), at == 0) for holder, at in rows] == [(0, True), (12, False)]


# Connections


def test_connections_that_died_idle_are_replaced_unnoticed(url: str, store: Store) -> None:
    with store.read(HERE), store.read(HERE), store.read(HERE):
        pass
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert used(store) == 0
    with store.begin(HERE) as tx:
        meters.charge(tx, 0)
    assert used(store) == 1


def test_nothing_is_left_in_a_session(store: Store) -> None:
    """PgBouncer in transaction mode gives every transaction another one."""
    store.migrate()
    store.steady_offset("boot", 1, 1)
    for _ in range(10):
        store.transact(HERE, Work())
        used(store)
    state = {
        "prepared": "SELECT count(*) FROM pg_prepared_statements",
        "settings": "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT LIKE '%%timeout'",
        "locks": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
        "temporary": "SELECT pg_my_temp_schema()::bigint",
    }
    with store.connections.transaction("BEGIN") as (connection, _):
        answers = connection.exchange([Said(sql) for sql in state.values()])
        found = {name: connection.rows(answer)[0][0] for name, answer in zip(state, answers, strict=True)}
    assert (found.pop("prepared") > 0) is connection.may_prepare, "where it is ours alone: what is said again"
    assert found == dict.fromkeys(found, 0)


def test_an_address_is_shown_without_its_password() -> None:
    assert named("postgresql://me:secret@db.example:5433/calls?sslmode=require") == "postgresql://db.example:5433/calls"
    assert named("postgresql:///calls?host=/run/postgresql") == "postgresql:///run/postgresql/calls"
    with pytest.raises(ConfigError) as told:
        open_store("postgresql://me:se cret@h/d?nonsense=1", Keyring())
    assert "cret" not in str(told.value)


def test_a_server_that_is_away_is_told_at_once() -> None:
    store = open_store("postgresql://me@127.0.0.1:1/calls", Keyring())
    began = time.monotonic()
    for use in (store.ping, store.migrate, lambda: store.transact(HERE, Work()), lambda: used(store)):
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            use()
    assert store.schema_problems() != []
    assert time.monotonic() - began < 2


def test_compacting_leaves_everything_in_its_place(store: Store) -> None:
    store.transact(HERE, Work())
    store.compact()
    assert (used(store), store.size() > 100_000) == (1, True)
