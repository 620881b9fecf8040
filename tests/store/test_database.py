"""Transactions: all or nothing, one writer at a time, snapshots for readers."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreUnavailable
from adapter.store import meters
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring


class Boom(Exception):
    """What a use case might raise."""


def used(store: Store, realm: Realm) -> int:
    with store.read(realm) as tx:
        return meters.used(tx, 0)


def charge(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.charge(tx, 0)


def fail_after_charge(store: Store, realm: Realm, error: BaseException) -> None:
    with store.begin(realm) as tx:
        meters.charge(tx, 0)
        raise error


def test_returning_commits(store: Store, realm: Realm, url: str) -> None:
    charge(store, realm)
    other = open_store(url, Keyring())
    assert used(other, realm) == 1
    other.close()


@pytest.mark.parametrize("error", [Boom(), KeyboardInterrupt(), StoreUnavailable("x")], ids=lambda e: type(e).__name__)
def test_raising_rolls_back_and_the_next_one_works(store: Store, realm: Realm, error: BaseException) -> None:
    with pytest.raises(type(error)):
        fail_after_charge(store, realm, error)
    charge(store, realm)
    assert used(store, realm) == 1


def test_a_savepoint_undoes_only_its_own(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.charge(tx, 0)
        with tx.savepoint():
            meters.charge(tx, 0, 10)
            with suppress(Boom), tx.savepoint():
                meters.charge(tx, 0, 100)
                raise Boom
        with suppress(Boom), tx.savepoint():
            meters.charge(tx, 0, 1000)
            raise Boom
    assert used(store, realm) == 11


def test_a_transaction_inside_a_transaction_is_a_mistake_told_at_once(store: Store, realm: Realm) -> None:
    with pytest.raises(RuntimeError, match="inside a write transaction"), store.begin(realm):
        charge(store, realm)
    charge(store, realm)
    assert used(store, realm) == 1


def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(store: Store, realm: Realm) -> None:
    charge(store, realm)
    with store.read(realm) as reader, store.begin(realm) as writer:
        assert meters.used(reader, 0) == 1
        meters.charge(writer, 0)
        assert (meters.used(reader, 0), meters.used(writer, 0)) == (1, 2)
        with store.read(realm) as other:
            assert meters.used(other, 0) == 1
    assert used(store, realm) == 2


def test_a_reader_cannot_write(store: Store, realm: Realm) -> None:
    with store.read(realm) as tx, pytest.raises(StoreUnavailable, match=r"read-?only"):
        meters.charge(tx, 0)


def test_a_reader_that_raises_leaves_nothing_open(store: Store, realm: Realm) -> None:
    with suppress(Boom), store.read(realm) as tx:
        meters.used(tx, 0)
        raise Boom
    assert store.truncate_log()


def test_threads_lose_no_update(store: Store, realm: Realm) -> None:
    def work() -> None:
        for _ in range(25):
            with store.begin(realm) as tx:
                meters.charge(tx, 0, 1 + meters.used(tx, 0) - meters.used(tx, 0))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used(store, realm) == 200


def test_times_of_one_boot_have_one_offset(store: Store) -> None:
    assert store.steady_offset("boot-a", ticks=50, wall=1000) == 950
    assert store.steady_offset("boot-a", ticks=60, wall=7777) == 950
    assert store.steady_offset("boot-b", ticks=10, wall=2000) == 1990


def test_the_offset_of_a_boot_is_never_behind_the_newest_hit(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.hit(tx, 0, 5000)
    assert store.steady_offset("boot-a", ticks=10, wall=1000) == 4990
