"""A PostgreSQL server that hangs, crashes and comes back. It is a server of our own, which writes to the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreUnavailable
from adapter.store import meters
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.databases import Server

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]
HERE = Realm(0, 0)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(settings=("fsync=on",))
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE calls")
    yield server
    server.stop()


@pytest.fixture
def store(server: Server) -> Iterator[Store]:
    store = open_store(server.url("calls"), Keyring(), lock_timeout_seconds=1.0)
    store.migrate()
    yield store
    store.close()


def charge(tx: Transaction) -> None:
    meters.charge(tx, 0)


def used(store: Store) -> int:
    with store.read(HERE) as tx:
        return meters.used(tx, 0)


def test_a_server_that_hangs_is_given_up_within_five_seconds(server: Server, store: Store) -> None:
    store.transact(HERE, charge)
    before = used(store)
    server.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.transact(HERE, charge)
        given_up = time.monotonic() - began
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.transact(HERE, charge, 0.5)
        hurried = time.monotonic() - began
    finally:
        server.thaw()
    # What was asked meanwhile may still come to the server's ears, but it was told to nobody as done.
    assert (given_up < 8, hurried < 3) == (True, True)
    store.transact(HERE, charge)
    assert used(store) >= before + 1
    store.ping()


def test_a_crash_costs_nothing_that_was_acknowledged(server: Server, store: Store) -> None:
    before, acknowledged, refused, over = used(store), [0] * 4, list[str](), threading.Event()
    patient = open_store(server.url("calls"), Keyring(), lock_timeout_seconds=20.0)

    def write(place: int) -> None:
        while not over.is_set():
            try:
                patient.transact(HERE, charge)
            except StoreUnavailable as error:
                refused.append(error.message)
                time.sleep(0.05)
            else:
                acknowledged[place] += 1

    threads = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.3)
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.ping()
        server.start()
    time.sleep(0.3)
    over.set()
    for thread in threads:
        thread.join()
    assert sum(acknowledged) > 20
    assert [told for told in refused if "cannot be reached" not in told] == [], "refused before anything was done"
    assert used(store) == before + sum(acknowledged), "each exactly once, those whose commit was cut off, too"
    patient.close()
