"""Transactions: all or nothing, one writer at a time, snapshots for readers, and what happens to a failing database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from adapter.engine.model import Realm
from adapter.errors import AdapterError, ConfigError, StoreMismatch, StoreUnavailable
from adapter.store import meters
from adapter.store.database import NO_REALM, Store, Transaction
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
    assert used(Store.open(url, Keyring()), realm) == 1


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
    with store.read(realm) as tx, pytest.raises(StoreUnavailable, match="readonly"):
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


@pytest.mark.parametrize("url", ["postgresql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?b"])
def test_a_url_that_is_not_a_file_is_bad_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.url"):
        Store.open(url, Keyring())


def test_opening_touches_nothing(url: str, path: Path) -> None:
    Store.open(url, Keyring())
    assert list(path.parent.iterdir()) == []


def test_a_relative_url_is_relative_to_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store.open("sqlite:///data.db", Keyring())
    monkeypatch.chdir("/")
    assert store.path == tmp_path / "data.db"


def test_pragmas_that_durability_and_privacy_rest_on(store: Store) -> None:
    with store.lock.held():
        connection = store.connections.writer()
        names = ("journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint", "temp_store")
        assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 0, 2]


def test_times_of_one_boot_have_one_offset(store: Store) -> None:
    assert store.steady_offset("boot-a", ticks=50, wall=1000) == 950
    assert store.steady_offset("boot-a", ticks=60, wall=7777) == 950
    assert store.steady_offset("boot-b", ticks=10, wall=2000) == 1990


def test_the_offset_of_a_boot_is_never_behind_the_newest_hit(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.hit(tx, 0, 5000)
    assert store.steady_offset("boot-a", ticks=10, wall=1000) == 4990


def every_use(store: Store) -> dict[str, type[AdapterError] | None]:
    """How each way of using the store ends."""
    uses = {
        "begin": lambda: charge(store, Realm(0, 0)),
        "read": lambda: used(store, Realm(0, 0)),
        "ping": store.ping,
        "truncate": store.truncate_log,
    }
    ends: dict[str, type[AdapterError] | None] = {}
    for name, use in uses.items():
        try:
            use()
        except AdapterError as error:
            ends[name] = type(error)
        else:
            ends[name] = None
    return ends


UNAVAILABLE = dict.fromkeys(("begin", "read", "ping", "truncate"), StoreUnavailable)
WORKING = dict.fromkeys(("begin", "read", "ping", "truncate"))


def test_without_a_file_the_store_is_unavailable_and_makes_none(url: str, path: Path) -> None:
    store = Store.open(url, Keyring())
    assert every_use(store) == UNAVAILABLE
    assert not path.exists()


def test_without_its_folder_the_store_is_unavailable(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/gone/calls.db", Keyring())
    assert every_use(store) == UNAVAILABLE
    with pytest.raises(StoreUnavailable):
        store.migrate()
    store.close()


@pytest.mark.parametrize("damage", [b"this is no database " * 500, b""], ids=["other content", "empty"])
def test_a_file_that_is_no_database_is_never_taken_for_one(store: Store, path: Path, damage: bytes) -> None:
    assert every_use(store) == WORKING
    store.close()
    path.unlink()
    path.write_bytes(damage)
    assert None not in (every_use(store)["begin"], every_use(store)["read"], every_use(store)["ping"])


def test_a_file_deleted_under_the_store_is_noticed(store: Store, path: Path) -> None:
    assert every_use(store) == WORKING
    path.unlink()
    assert every_use(store) == UNAVAILABLE


def test_a_file_replaced_under_the_store_is_opened_anew(store: Store, path: Path, realm: Realm, migrated: Path) -> None:
    charge(store, realm)
    for name in (f"{path}", f"{path}-wal", f"{path}-shm"):
        os.unlink(name)
    shutil.copy(migrated, path)
    assert used(store, realm) == 0
    charge(store, realm)
    assert used(store, realm) == 1


def test_damaged_pages_make_the_store_unavailable_not_wrong(store: Store, path: Path, realm: Realm) -> None:
    charge(store, realm)
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    assert every_use(store) == {**UNAVAILABLE, "truncate": every_use(store)["truncate"]}
    assert store.schema_problems() != []


def test_a_foreign_writer_is_waited_for_and_then_given_up(store: Store, path: Path, url: str, realm: Realm) -> None:
    impatient = Store.open(url, Keyring(), lock_timeout_seconds=0.05)
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        charge(impatient, realm)
    assert used(impatient, realm) == 0
    foreign.execute("ROLLBACK")
    foreign.close()
    charge(impatient, realm)
    assert used(impatient, realm) == 1
    impatient.close()


@pytest.mark.parametrize("in_the_way", ["another thread", "another program"])
def test_who_has_less_patience_than_the_store_gives_up_earlier(
    store: Store, path: Path, realm: Realm, in_the_way: str
) -> None:
    foreign = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with ExitStack() as held:
        if in_the_way == "another thread":
            thread = ThreadPoolExecutor(1)
            held.callback(thread.shutdown)
            thread.submit(store.lock.acquire).result()
            held.callback(thread.submit, store.lock.release)
        else:
            foreign.execute("BEGIN IMMEDIATE")
            held.callback(foreign.execute, "ROLLBACK")
        before = time.monotonic()
        with pytest.raises(StoreUnavailable), store.begin(realm, 0.05):
            pass
        assert time.monotonic() - before < 1
    foreign.close()
    with store.begin(realm, 0.05):
        busy = store.connections.writer().execute("PRAGMA busy_timeout").fetchone()[0]
    assert busy == 2000, "the API's own patience is as it was"


def test_nobody_has_more_patience_than_the_store(path: Path, store: Store, url: str, realm: Realm) -> None:
    impatient = Store.open(url, Keyring(), lock_timeout_seconds=0.05)
    before = time.monotonic()
    with store.lock.held(), pytest.raises(StoreUnavailable), impatient.begin(realm, 5.0):
        pass
    assert time.monotonic() - before < 1
    impatient.close()


def test_a_full_disk_rolls_back_and_is_survived(store: Store, realm: Realm) -> None:
    """SQLite's own page limit stands in for the disk's."""
    with store.lock.held():
        connection = store.connections.writer()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    def fill() -> None:
        with store.begin(realm) as tx:
            for period in range(5000):
                meters.charge(tx, period)

    with pytest.raises(StoreUnavailable, match="full"):
        fill()
    assert used(store, realm) == 0
    charge(store, realm)
    assert used(store, realm) == 1


def test_a_full_disk_inside_a_savepoint_is_told_as_such(store: Store, realm: Realm) -> None:
    def fill() -> None:
        with store.begin(realm) as tx, tx.savepoint():
            tx._connection.execute("ROLLBACK")  # what SQLite does on some errors of the disk
            raise StoreUnavailable("disk")

    with pytest.raises(StoreUnavailable, match="disk"):
        fill()


def test_a_connection_that_breaks_is_replaced(store: Store, realm: Realm) -> None:
    def broken() -> None:
        with store.begin(realm) as tx:
            tx._connection.close()
            meters.charge(tx, 0)

    with pytest.raises(sqlite3.ProgrammingError):
        broken()
    charge(store, realm)
    with suppress(sqlite3.ProgrammingError), store.read(realm) as tx:
        tx._connection.close()
    assert used(store, realm) == 1


def test_an_error_between_two_rows_is_told_as_such(store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cursor:
        def fetchall(self) -> None:
            raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(Transaction, "_run", lambda tx, statement, values: Cursor())
    with pytest.raises(StoreUnavailable, match="malformed"):
        used(store, realm)


def test_a_database_without_the_schema_is_a_mismatch(url: str, path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    store = Store.open(url, Keyring())
    with pytest.raises(StoreMismatch, match="db upgrade"):
        charge(store, NO_REALM)
    with pytest.raises(StoreUnavailable):
        store.ping()
    store.close()


def test_a_read_only_database_is_unavailable_for_writing_only(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root writes everywhere, so a connection opened read-only stands in for a read-only file system."""
    store.close()
    real = sqlite3.connect
    monkeypatch.setattr(
        "adapter.store.sqlite.sqlite3.connect", lambda name, **rest: real(name.replace("mode=rw", "mode=ro"), **rest)
    )
    ends = every_use(store)
    assert (ends["begin"], ends["read"], ends["ping"]) == (StoreUnavailable, None, None)


def test_a_folder_in_place_of_the_lock_file_is_unavailable(store: Store, path: Path, realm: Realm) -> None:
    Path(f"{path}.lock").unlink(missing_ok=True)
    Path(f"{path}.lock").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot lock"):
        charge(store, realm)
    assert used(store, realm) == 0
