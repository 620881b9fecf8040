"""A database that swallows everything holds up one thread, not all of them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapter.errors import StoreDamaged, StoreUnavailable
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.outage import Outage
from adapter.store.postgres import connections as postgres
from adapter.store.sealing import Keyring
from adapter.store.transaction import NO_REALM
from tests.store.proxy import Proxy, proxied


def fails(outage: Outage, inside: threading.Event | None = None, until: threading.Event | None = None) -> None:
    with pytest.raises(StoreUnavailable, match="away"), outage.attempt():  # noqa: PT012
        if inside is not None and until is not None:
            inside.set()
            assert until.wait(10)
        raise StoreUnavailable("away")


def test_while_it_is_away_one_tries_and_the_others_are_told_at_once() -> None:
    outage, inside, until = Outage(), threading.Event(), threading.Event()
    fails(outage)
    with ThreadPoolExecutor(1) as other:
        trying = other.submit(fails, outage, inside, until)
        assert inside.wait(10)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="tried already"), outage.attempt():
                pytest.fail("two tried at once")
        until.set()
        trying.result()
    fails(outage)


def test_when_it_is_back_everybody_may_connect_at_once() -> None:
    outage = Outage()
    fails(outage)
    with outage.attempt():
        pass
    with outage.attempt(), outage.attempt(), outage.attempt():
        pass


@pytest.mark.postgresql
@pytest.mark.parametrize("state", ["XX001", "XX002"], ids=["data", "index"])
def test_what_is_damaged_is_told_from_what_is_away(store: Store, state: str) -> None:
    damaged = f"DO $$ BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(StoreDamaged, match="invalid page"):
        store.transact(NO_REALM, lambda tx: tx.plainly(damaged))


@pytest.fixture
def swallowing() -> Iterator[Store]:
    """A store whose database takes connections and says nothing, as behind a broken network."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        store = open_store(f"postgresql://me@127.0.0.1:{listener.getsockname()[1]}/calls", Keyring())
        yield store
        store.close()


def waited(store: Store) -> float:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="cannot be reached"), store.read(NO_REALM):
        pytest.fail("there is nothing to read")
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_silent_database_holds_one_of_many_threads_up(swallowing: Store) -> None:
    assert 1.9 < waited(swallowing) < 3, "who finds it out waits for the connect timeout"
    with ThreadPoolExecutor(8) as threads:
        waits = sorted(threads.map(lambda _: waited(swallowing), range(8)))
    assert waits[6] < 0.5
    assert 1.9 < waits[7] < 3


@pytest.mark.postgresql
def test_the_first_who_asks_after_it_is_back_is_served(url: str, store: Store) -> None:
    with proxied(url) as proxy:
        assert isinstance(proxy, Proxy)
        beyond = open_store(proxy.url, Keyring())
        proxy.is_open = False
        waited(beyond)
        proxy.is_open = True
        beyond.ping()
        beyond.close()


@pytest.mark.postgresql
def test_a_connection_has_a_lifetime(url: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for lifetime, same in ((1_000, True), (0, False)):
        monkeypatch.setattr(postgres, "_LIFETIME_SECONDS", lifetime)
        ageing = open_store(url, Keyring())
        used = []
        for _ in range(2):
            with ageing.connections.transaction("BEGIN") as (connection, _):
                used.append(connection.holder)
            time.sleep(0.01)  # older than nothing
        assert (used[0] == used[1]) is same
        ageing.close()


def test_what_worked_before_a_failure_is_no_proof() -> None:
    outage = Outage()
    with outage.attempt():
        pass
    assert outage.worked_within(60)
    with pytest.raises(StoreUnavailable), outage.attempt():
        raise StoreUnavailable("the disk is full")
    assert not outage.worked_within(60)
