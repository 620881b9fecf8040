"""The store on a SQLite file: its address, its settings, and what happens when the file fails."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from adapter.engine.model import Realm
from adapter.errors import AdapterError, ConfigError, StoreDamaged, StoreMismatch, StoreUnavailable
from adapter.store import clocks, meters
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore, SqliteTransaction
from adapter.store.transaction import NO_REALM
from tests import databases
from tests.store.test_database import charge, used

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?b"])
def test_a_url_that_is_not_a_file_is_bad_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.url"):
        open_store(url, Keyring())


def test_opening_touches_nothing(url: str, path: Path) -> None:
    open_store(url, Keyring())
    assert list(path.parent.iterdir()) == []


def test_a_relative_url_is_relative_to_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///data.db", Keyring())
    monkeypatch.chdir("/")
    assert store.path == tmp_path / "data.db"


def test_pragmas_that_durability_and_privacy_rest_on(store: Store) -> None:
    with store.lock.held():
        connection = store.connections.writer()
        names = ("journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint", "temp_store")
        assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 0, 2]


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
    store = open_store(url, Keyring())
    assert every_use(store) == UNAVAILABLE
    assert not path.exists()


def test_without_its_folder_the_store_is_unavailable(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/gone/calls.db", Keyring())
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


def test_a_file_replaced_under_the_store_is_opened_anew(store: Store, path: Path, realm: Realm) -> None:
    charge(store, realm)
    for name in (f"{path}", f"{path}-wal", f"{path}-shm"):
        os.unlink(name)
    shutil.copy(databases.migrated(), path)
    assert used(store, realm) == 0
    charge(store, realm)
    assert used(store, realm) == 1


def test_damaged_pages_make_the_store_unavailable_not_wrong(store: Store, path: Path, realm: Realm) -> None:
    charge(store, realm)
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    found = every_use(store)
    assert (found["begin"], found["read"], found["ping"]) == (StoreDamaged, StoreDamaged, StoreUnavailable)
    assert store.schema_problems() != []


def test_a_foreign_writer_is_waited_for_and_then_given_up(store: Store, path: Path, url: str, realm: Realm) -> None:
    impatient = open_store(url, Keyring(), lock_timeout_seconds=0.05)
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


def test_the_stores_own_patience_outlasts_a_foreign_program(store: Store, path: Path, realm: Realm) -> None:
    """SQLite itself gives up after a tenth of a second."""
    foreign = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    foreign.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(0.3, foreign.execute, ("ROLLBACK",))
    letting_go.start()
    charge(store, realm)
    letting_go.join()
    foreign.close()
    assert used(store, realm) == 1


def test_nobody_has_more_patience_than_the_store(path: Path, store: Store, url: str, realm: Realm) -> None:
    impatient = open_store(url, Keyring(), lock_timeout_seconds=0.05)
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

    monkeypatch.setattr(SqliteTransaction, "_run", lambda tx, statement, values: Cursor())
    with pytest.raises(StoreUnavailable, match="malformed"):
        used(store, realm)


def test_a_database_without_the_schema_is_a_mismatch(url: str, path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    store = open_store(url, Keyring())
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
        "adapter.store.sqlite.connections.sqlite3.connect",
        lambda name, **rest: real(name.replace("mode=rw", "mode=ro"), **rest),
    )
    ends = every_use(store)
    assert (ends["begin"], ends["read"], ends["ping"]) == (StoreUnavailable, None, None)


def test_a_folder_in_place_of_the_lock_file_is_unavailable(store: Store, path: Path, realm: Realm) -> None:
    Path(f"{path}.lock").unlink(missing_ok=True)
    Path(f"{path}.lock").mkdir()
    with pytest.raises(StoreUnavailable, match=r"cannot be locked: .*/calls\.db\.lock: "):
        charge(store, realm)
    assert used(store, realm) == 0


def test_the_question_whether_it_can_be_written_writes(store: SqliteStore) -> None:
    """Else a full disk would be healthy; the row is as it was."""
    offset = store.steady_offset("boot", 5, 7)
    with closing(sqlite3.connect(store.path)) as other:
        before = other.execute("PRAGMA data_version").fetchone()
        store.transact(NO_REALM, clocks.touch)
        assert other.execute("PRAGMA data_version").fetchone() != before
    assert store.steady_offset("boot", 6, 100) == offset
