"""Forking: the child opens connections of its own, holds no lock of the parent's, and the parent goes on."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.engine.model import Realm
from adapter.store import forks, meters
from adapter.store.database import Store
from adapter.store.opening import open_store

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_other_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests left open would be brought to rest before each fork, too: seconds for two stores on one file."""
    monkeypatch.setattr(forks, "_stores", weakref.WeakSet())


def in_child(work: Callable[[], object]) -> int:
    """The exit status of a forked child that runs `work`: 0 when it did not raise."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def charge(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.charge(tx, 0)


def used(store: Store, realm: Realm) -> int:
    with store.read(realm) as tx:
        return meters.used(tx, 0)


def open_files(name: str) -> list[str]:
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [os.readlink(link) for link in links if os.path.exists(link) and name in os.readlink(link)]


def test_parent_and_child_both_go_on(store: Store, realm: Realm) -> None:
    charge(store, realm)
    for _ in range(3):
        assert in_child(lambda: charge(store, realm)) == 0
        charge(store, realm)
    assert used(store, realm) == 7
    assert store.schema_problems() == []


@pytest.mark.sqlite
def test_a_child_inherits_no_open_file_of_the_database(store: Store, realm: Realm, path: Path) -> None:
    charge(store, realm)
    used(store, realm)
    assert open_files(str(path)) != []

    def look() -> None:
        assert open_files(str(path)) == []

    assert in_child(look) == 0


def test_a_fork_inside_a_transaction_leaves_it_whole(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.charge(tx, 0)
        assert in_child(lambda: used(store, realm)) == 0
        meters.charge(tx, 0)
    assert used(store, realm) == 2


def test_a_fork_beside_a_reader_leaves_it_its_snapshot(store: Store, realm: Realm) -> None:
    charge(store, realm)
    with store.read(realm) as tx:
        assert meters.used(tx, 0) == 1
        assert in_child(lambda: charge(store, realm)) == 0
        assert meters.used(tx, 0) == 1
    assert used(store, realm) == 2


def test_forks_beside_writing_threads_lose_nothing(store: Store, realm: Realm) -> None:
    stop, written = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            charge(store, realm)
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    results = [in_child(lambda: charge(store, realm)) for _ in range(10)]
    stop.set()
    thread.join()
    assert results == [0] * 10
    assert used(store, realm) == written[0] + 10


@pytest.mark.sqlite
def test_a_fork_waits_for_a_writer_but_not_for_ever(
    store: Store, realm: Realm, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forking by hand, step by step, as the interpreter would."""
    impatient = open_store(url, store.keyring, lock_timeout_seconds=0.01)
    monkeypatch.setattr(forks, "_stores", {impatient})
    charge(impatient, realm)
    writer, before = impatient.connections._writer, impatient.lock
    with store.lock.held():
        forks._before()
        assert impatient.connections._writer is writer
        forks._in_parent()
    forks._before()
    assert impatient.connections._writer is None
    forks._in_child()
    assert impatient.lock is not before
    charge(impatient, realm)
    assert used(store, realm) == 2
    forks._inherited.pop()
    forks._inherited.pop().close()  # type: ignore[attr-defined]


def test_a_store_that_is_gone_is_not_watched(url: str, store: Store) -> None:
    assert store in forks._stores
    before = len(forks._stores)
    open_store(url, store.keyring)
    assert len(forks._stores) == before


@pytest.mark.sqlite
def test_a_renewed_lock_of_the_child_is_not_the_parents(store: Store, realm: Realm) -> None:
    with store.lock.held():

        def look() -> None:
            assert store.lock._owner == 0
            assert used(store, realm) == 0

        assert in_child(look) == 0
