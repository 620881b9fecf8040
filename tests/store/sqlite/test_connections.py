"""Connections and checkpoints of a SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreDamaged, StoreMismatch, StoreUnavailable
from adapter.store import meters, presence
from adapter.store.database import Store
from adapter.store.sqlite import connections as sqlite
from adapter.store.transaction import NO_REALM

pytestmark = pytest.mark.sqlite


def wal(store: Store) -> int:
    return Path(f"{store.path}-wal").stat().st_size


def fill(store: Store, realm: Realm, times: int = 40) -> None:
    for number in range(times):
        with store.begin(realm) as tx:
            for row in range(60):
                meters.charge(tx, number * 1_009 + row * 1_000_003)


@pytest.mark.parametrize(("rows", "stays_short"), [(200, True), (10**9, False)], ids=["kept", "control"])
def test_the_log_is_written_over_when_it_grows_long(
    store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch, rows: int, stays_short: bool
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", rows)
    monkeypatch.setattr(sqlite, "QUIET_CHECKPOINT_ROWS", rows)
    store.renew()
    fill(store, realm, 60)
    half = wal(store)
    fill(store, realm, 60)
    assert (wal(store) < 1024 * 1024) is stays_short
    assert (wal(store) < 1.5 * half) is stays_short, "a log that keeps its length"


@pytest.mark.parametrize(("quiet", "stays_short"), [(150, True), (10**9, False)], ids=["quiet", "control"])
def test_while_nobody_waits_the_log_is_kept_shorter(
    store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch, quiet: int, stays_short: bool
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 10**9)
    monkeypatch.setattr(sqlite, "QUIET_CHECKPOINT_ROWS", quiet)
    store.renew()
    fill(store, realm, 60)
    assert (wal(store) < 1024 * 1024) is stays_short


def test_a_log_that_a_reader_made_long_is_cut(store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 200)
    monkeypatch.setattr(sqlite, "LONGEST_LOG_BYTES", 512 * 1024)
    store.renew()
    with store.read(realm) as tx:
        meters.used(tx, 0)
        fill(store, realm, 60)
    assert wal(store) > 512 * 1024
    fill(store, realm, 10)
    assert wal(store) < 512 * 1024


def test_very_large_transactions_are_moved_together_and_what_they_leave_is_cut_by_the_next_one_of_usual_size(
    store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "QUIET_CHECKPOINT_ROWS", 50)
    for name, rows in (("CHECKPOINT_ROWS", 50), ("BULK_ROWS", 59), ("BULK_CHECKPOINT_ROWS", 1_800)):
        monkeypatch.setattr(sqlite, name, rows)
    monkeypatch.setattr(sqlite, "LONGEST_LOG_BYTES", 256 * 1024)
    cuts: list[bool] = []
    real = sqlite.checkpoint

    def checkpoint(connection: sqlite3.Connection, *, cut: bool) -> bool:
        cuts.append(cut)
        return real(connection, cut=cut)

    monkeypatch.setattr(sqlite, "checkpoint", checkpoint)
    store.renew()
    fill(store, realm, 60)
    assert cuts == [False, False]
    assert wal(store) > 256 * 1024
    monkeypatch.setattr(sqlite, "BULK_ROWS", 60)
    fill(store, realm, 1)
    assert cuts == [False, False, True]
    assert wal(store) < 256 * 1024


def test_a_reader_keeps_the_log_and_writers_do_not_wait_for_it(
    store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 300)
    store.renew()
    fill(store, realm, 2)
    tried: list[bool] = []
    real = sqlite.checkpoint

    def checkpoint(connection: sqlite3.Connection, *, cut: bool) -> bool:
        tried.append(real(connection, cut=cut))
        return tried[-1]

    monkeypatch.setattr(sqlite, "checkpoint", checkpoint)
    with store.read(realm) as tx:
        meters.used(tx, 0)
        fill(store, realm, 30)
        assert not store.truncate_log()
    assert set(tried) == {False}
    assert len(tried) < 20, "not after every commit"
    fill(store, realm, 10)
    assert tried[-1] or store.truncate_log()
    assert wal(store) < 1024 * 1024


def test_a_missing_log_is_no_reason_to_fail(store: Store, tmp_path: Path) -> None:
    connections = sqlite.Connections(tmp_path / "none.db", 1.0)
    with store.lock.held():
        connections.checkpoint_if_due(store.connections.writer())


def test_a_locked_checkpoint_is_tried_another_time(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.lock.held():
        writer = store.connections.writer()
        assert not sqlite.checkpoint(writer, cut=True)
        assert writer.execute("PRAGMA busy_timeout").fetchone() == (100,)
    other.execute("ROLLBACK")
    other.close()
    assert store.truncate_log()


class FailingCursor:
    """A connection whose checkpoint fails."""

    def __init__(self, message: str) -> None:
        self.message = message

    def execute(self, sql: str) -> FailingCursor:
        if "wal_checkpoint" in sql:
            raise sqlite3.OperationalError(self.message)
        return self

    def fetchone(self) -> tuple[int]:
        return (0,)


def test_a_checkpoint_that_fails_for_another_reason_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not sqlite.checkpoint(FailingCursor("database table is locked"), cut=False)  # type: ignore[arg-type]
    broken = FailingCursor("disk I/O error")
    with pytest.raises(sqlite3.OperationalError):
        sqlite.checkpoint(broken, cut=True)  # type: ignore[arg-type]
    monkeypatch.setattr(store.connections, "writer", lambda: broken)
    with pytest.raises(StoreUnavailable, match="disk I/O"):
        store.truncate_log()


def test_a_database_that_left_wal_mode_is_put_back(store: Store, path: Path) -> None:
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    with store.lock.held():
        assert store.connections.writer().execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_connection_cannot_be_made_to_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        sqlite.connect(tmp_path, 0.1)


def test_what_callers_are_told() -> None:
    ours = sqlite3.IntegrityError("UNIQUE constraint failed")
    assert sqlite.translate(ours) is ours
    assert isinstance(sqlite.translate(sqlite3.OperationalError("no such column: x")), StoreMismatch)
    assert isinstance(sqlite.translate(sqlite3.OperationalError("database is locked")), StoreUnavailable)


@pytest.mark.parametrize("first", [0, 4096], ids=["no database any more", "pages of noise"])
def test_what_is_damaged_is_told_from_what_is_away(store: Store, path: Path, first: int) -> None:
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with path.open("r+b") as file:
        file.seek(first)
        file.write(b"\xff" * (path.stat().st_size - first))
    with pytest.raises(StoreDamaged):
        store.transact(NO_REALM, presence.look)
