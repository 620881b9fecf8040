"""A backup put back: the old file is kept, the erased stay erased, revoked keys stay revoked (`db restore`)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.engine.model import Mode, Realm
from adapter.errors import KeyMissing, StoreMismatch, StoreUnavailable
from adapter.store import keys, records
from adapter.store.database import Store
from adapter.store.sealing import Keyring
from adapter.store.sqlite import backup, restore
from adapter.store.sqlite.store import SqliteStore
from tests.store.people import A, B, remember

pytestmark = pytest.mark.sqlite
PEPPER = b"p" * 32


@pytest.fixture
def copy(store: SqliteStore, realm: Realm, tmp_path: Path) -> Path:
    """A backup with one customer in it. The store is closed, as when the service is stopped."""
    with store.begin(realm) as tx:
        remember(tx)
    backup.back_up(store.path, tmp_path / "backup.db")
    store.close()
    return tmp_path / "backup.db"


def known(store: Store, realm: Realm, ref: str = A) -> bool:
    with store.read(realm) as tx:
        return records.export(tx, ref, 100) is not None


def test_the_backup_takes_the_place_and_the_old_file_stays(store: SqliteStore, realm: Realm, copy: Path) -> None:
    with store.begin(realm) as tx:
        remember(tx, B, "CA2")
    store.close()
    before = set(store.path.parent.iterdir())
    done = restore.restore(copy, store, 0)
    assert (known(store, realm), known(store, realm, B)) == (True, False)
    assert done == restore.Restored(store.path.with_name("calls.db.before-restore-19700101T000000Z"))
    assert done.aside is not None
    old = SqliteStore(done.aside, store.keyring, 1.0)
    assert known(old, realm, B)
    old.close()
    store.close()
    extra = {file.name for file in set(store.path.parent.iterdir()) - before}
    assert extra <= {done.aside.name, "calls.db.before-restore-19700101T000000Z.lock"}
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_who_was_erased_since_stays_erased(store: SqliteStore, realm: Realm, copy: Path) -> None:
    with store.begin(realm) as tx:
        assert records.erase(tx, A, 500)
    store.close()
    done = restore.restore(copy, store, 0)
    assert (done.erased, known(store, realm)) == (1, False)
    with store.begin(realm) as tx, pytest.raises(Exception, match="erased"):
        remember(tx)


def test_a_key_revoked_since_stays_revoked_and_one_that_was_to_expire_expires(
    store: SqliteStore, realm: Realm, tmp_path: Path
) -> None:
    issued = [keys.issue(store, PEPPER, "org", Mode.PROD, "x", 100) for _ in range(3)]
    backup.back_up(store.path, tmp_path / "backup.db")
    keys.revoke(store, issued[0][1].prefix, 200)
    keys.expire(store, issued[1][1].prefix, 300)
    store.close()
    assert restore.restore(tmp_path / "backup.db", store, 0).revoked == 1
    assert [keys.find(store, PEPPER, secret, 400) is not None for secret, _ in issued] == [False, False, True]
    assert [record.revoked_at for record in keys.all(store)].count(200) == 1


def test_keys_made_or_brought_under_another_pepper_since_still_open(store: SqliteStore, tmp_path: Path) -> None:
    """Else a restore locks all clients out who were given new keys for old ones."""
    before, _ = keys.issue(store, PEPPER, "org", Mode.PROD, "x", 100)
    backup.back_up(store.path, tmp_path / "backup.db")
    since, _ = keys.issue(store, PEPPER, "org", Mode.PROD, "y", 200)
    for secret in (before, since):
        assert keys.find(store, b"another pepper", secret, 300, (PEPPER,))
    store.close()
    assert restore.restore(tmp_path / "backup.db", store, 0).made == 1
    for secret in (before, since):
        assert keys.find(store, b"another pepper", secret, 400)


def test_a_database_in_use_is_left_alone(store: SqliteStore, realm: Realm, copy: Path) -> None:
    holds = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM usage').fetchall();"
        "print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holds, str(store.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"open\n"
    inode = store.path.stat().st_ino
    try:
        with pytest.raises(StoreUnavailable, match="is in use: stop the service"):
            restore.restore(copy, store, 0)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    assert store.path.stat().st_ino == inode
    assert not list(store.path.parent.glob("*before-restore*"))


def test_a_damaged_database_is_replaced_and_it_is_told_what_is_not_known(
    store: SqliteStore, realm: Realm, copy: Path
) -> None:
    store.path.write_bytes(b"\xff" * 100_000)
    done = restore.restore(copy, store, 0)
    assert done.unasked
    assert known(store, realm)
    assert done.aside is not None
    assert done.aside.read_bytes() == b"\xff" * 100_000


def test_a_log_that_cannot_be_folded_in_goes_aside_with_its_file(
    store: SqliteStore, realm: Realm, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(path: Path) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(restore, "_fold", unreadable)
    Path(f"{store.path}-wal").write_bytes(b"a log that fits no other file")
    done = restore.restore(copy, store, 0)
    assert done.aside is not None
    assert Path(f"{done.aside}-wal").read_bytes() == b"a log that fits no other file"
    assert known(store, realm)


def test_interrupted_before_the_last_step_the_old_database_is_in_its_place(
    store: SqliteStore, realm: Realm, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.begin(realm) as tx:
        remember(tx, B, "CA2")
    store.close()

    def full(draft: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "publish", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        restore.restore(copy, store, 0)
    assert known(store, realm, B)
    assert not list(store.path.parent.glob(".*.part*"))


def test_a_missing_database_is_no_hindrance(store: SqliteStore, realm: Realm, copy: Path) -> None:
    store.path.unlink()
    assert restore.restore(copy, store, 0) == restore.Restored(None)
    assert known(store, realm)


def test_a_backup_that_cannot_be_used_changes_nothing(store: SqliteStore, realm: Realm, copy: Path) -> None:
    newer = sqlite3.connect(copy)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    with pytest.raises(StoreMismatch, match="9999"):
        restore.restore(copy, store, 0)
    copy.write_bytes(b"\xff" * 8192)
    with pytest.raises((StoreMismatch, StoreUnavailable)):
        restore.restore(copy, store, 0)
    assert known(store, realm)
    assert not [name for name in os.listdir(store.path.parent) if "before-restore" in name or ".part" in name]


def test_without_the_key_of_an_erased_customer_nothing_is_changed(
    store: SqliteStore, realm: Realm, copy: Path, url: str
) -> None:
    with store.begin(realm) as tx:
        records.erase(tx, A, 500)
    store.close()
    without = SqliteStore(store.path, Keyring(), 1.0)
    with pytest.raises(KeyMissing):
        restore.restore(copy, without, 0)
    without.close()
    assert not list(store.path.parent.glob("*before-restore*"))


def test_a_backup_of_an_older_version_is_brought_up_to_date(store: SqliteStore, realm: Realm, copy: Path) -> None:
    older = sqlite3.connect(copy)
    older.executescript("DROP TABLE lockouts; DROP TABLE turns; UPDATE alembic_version SET version_num = '0001'")
    older.close()
    restore.restore(copy, store, 0)
    assert store.schema_problems() == []


def test_two_restores_within_a_second_do_not_lose_the_first_old_file(store: SqliteStore, copy: Path) -> None:
    restore.restore(copy, store, 0)
    with pytest.raises(StoreUnavailable, match="a moment ago"):
        restore.restore(copy, store, 0)
