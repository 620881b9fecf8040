"""A backup is one state, sound, private, and complete or not there (`db backup`)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreMismatch, StoreUnavailable
from adapter.store import meters, records
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sqlite import backup
from adapter.store.sqlite.store import SqliteStore
from tests import databases
from tests.store.people import PERSONAL, A, remember
from tests.store.sqlite.test_soundness import damage_a_page

pytestmark = pytest.mark.sqlite


def test_a_backup_holds_what_the_database_holds_and_is_its_owner_s_alone(
    store: Store, realm: Realm, path: Path, tmp_path: Path, keyring: Keyring
) -> None:
    with store.begin(realm) as tx:
        remember(tx)
        kept = records.export(tx, A, 100)
    target = tmp_path / "backup.db"
    shares: list[float] = []
    assert backup.back_up(path, target, progress=shares.append) == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if "backup" in file.name] == ["backup.db"]
    copy = SqliteStore(target, keyring, 1.0)
    with copy.read(realm) as tx:
        assert records.export(tx, A, 100) == kept
    copy.close()


def test_a_backup_under_load_is_one_state(store: Store, realm: Realm, path: Path, tmp_path: Path) -> None:
    """Each transaction writes two rows; a backup with one of them would have been taken in between."""
    stop, written = threading.Event(), threading.Event()

    def work() -> None:
        at = 0
        while not stop.is_set():
            at += 1
            with store.begin(realm) as tx:
                meters.charge(tx, 2 * at)
                meters.charge(tx, 2 * at + 1)
            if at == 20:
                written.set()

    writer = threading.Thread(target=work)
    writer.start()
    assert written.wait(30)
    try:
        for number in range(5):
            target = tmp_path / f"{number}.db"
            backup.back_up(path, target)
            odd, even = databases.rows_at(
                f"sqlite:///{target}", "SELECT sum(period % 2), sum(1 - period % 2) FROM usage"
            )[0]
            assert odd == even > 0
    finally:
        stop.set()
        writer.join()


def test_what_was_erased_is_not_in_the_slack_of_a_backup(url: str, path: Path, tmp_path: Path) -> None:
    databases.brought_up_to_date(url)
    store = open_store(url, Keyring())
    realm = Realm(0, 0)
    with store.begin(realm) as tx:
        remember(tx)
    with store.begin(realm) as tx:
        records.erase(tx, A, 200)
    backup.back_up(path, tmp_path / "backup.db")
    store.close()
    found = (tmp_path / "backup.db").read_bytes()
    assert [mark for mark in PERSONAL if mark in found] == []


def test_what_exists_is_replaced_only_when_told(store: Store, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("the last one")
    with pytest.raises(StoreUnavailable, match="exists"):
        backup.back_up(path, target)
    assert target.read_text() == "the last one"
    backup.back_up(path, target, replace=True)
    assert backup.revision_of(target)


def test_a_backup_that_fails_leaves_the_last_one_and_nothing_else(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backups" / "backup.db"
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        backup.back_up(path, target)
    target.parent.mkdir()
    target.write_text("the last one")

    def damaged(file: Path, name: Path) -> str:
        raise StoreMismatch(f"{file} is damaged")

    monkeypatch.setattr(backup, "revision_of", damaged)
    with pytest.raises(StoreMismatch, match="damaged"):
        backup.back_up(path, target, replace=True)
    assert [file.read_text() for file in target.parent.iterdir()] == ["the last one"]


@pytest.mark.parametrize("content", [b"", b"no database" * 1000], ids=["empty", "not-sqlite"])
def test_what_is_no_database_of_ours_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.db").write_bytes(content)
    with pytest.raises((StoreMismatch, StoreUnavailable)):
        backup.back_up(tmp_path / "other.db", tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


def test_a_damaged_database_makes_no_backup(store: Store, path: Path, tmp_path: Path) -> None:
    store.close()
    damage_a_page(path)
    with pytest.raises((StoreMismatch, StoreUnavailable), match=r"malformed|damaged"):
        backup.back_up(path, tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
    with pytest.raises(StoreMismatch, match=r"cannot be used|damaged"):
        backup.revision_of(path)


def test_ctrl_c_in_the_middle_is_ctrl_c_and_leaves_nothing(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while the progress is told; SQLite drops what is raised there and calls itself interrupted."""
    monkeypatch.setattr(backup, "_STEPS_BETWEEN_PROGRESS", 1)

    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.back_up(path, tmp_path / "backup.db", progress=pressed)
    assert not list(tmp_path.glob("*backup*"))
