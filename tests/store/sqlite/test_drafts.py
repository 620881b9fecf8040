"""What a killed backup or restore has left is removed by the next one, and what a running one writes is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.store.database import Store
from adapter.store.sqlite import backup, restore
from adapter.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.sqlite

# Another process in the middle of its backup: it says so, and goes on when it is told.
_HALF_WAY = """
import sys
from pathlib import Path
from adapter.store.sqlite import backup

def half_way(file, name):
    print("half way", flush=True)
    sys.stdin.readline()
    return whole(file, name)

whole, backup.revision_of = backup.revision_of, half_way
backup.back_up(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def half_way(source: Path, target: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HALF_WAY, str(source), str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half way\n"
    return process


def drafts(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if ".part" in file.name)


def killed_half_way(source: Path, target: Path) -> None:
    with half_way(source, target) as process:
        process.send_signal(signal.SIGKILL)


def test_what_a_killed_backup_has_left_is_removed_by_the_next_one(store: Store, path: Path, tmp_path: Path) -> None:
    """Each has a name with its day, and the copy of everybody would lie there for good."""
    folder = tmp_path / "backups"
    folder.mkdir()
    killed_half_way(path, folder / "calls-2026-02-06.db")
    (left,) = drafts(folder)
    (folder / f"{left}-journal").touch()
    others = {".calls.db.part", ".calls.db.0123456789abcdef.part.txt", "calls.db.0123456789abcdef.part"}
    for name in others:
        (folder / name).touch()
    backup.back_up(path, folder / "calls-2026-02-07.db")
    assert {file.name for file in folder.iterdir()} == {"calls-2026-02-07.db", *others}


def test_a_restore_removes_it_beside_the_database(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    backup.back_up(path, tmp_path / "backup.db")
    store.close()
    killed_half_way(path, path.with_name("other.db"))
    assert len(drafts(tmp_path)) == 1
    restore.restore(tmp_path / "backup.db", store, 0)
    assert drafts(tmp_path) == []


def test_one_that_is_being_written_stays(store: Store, path: Path, tmp_path: Path) -> None:
    with half_way(path, tmp_path / "slow.db") as process:
        backup.back_up(path, tmp_path / "quick.db")
        assert len(drafts(tmp_path)) == 1
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0
    assert backup.revision_of(tmp_path / "slow.db")
    assert drafts(tmp_path) == []


def test_a_restore_that_fails_leaves_nothing_whatever_the_database_is_called(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    backup.back_up(path, tmp_path / "calls[prod].db")
    backup.back_up(path, tmp_path / "backup.db")
    monkeypatch.setattr(backup, "publish", full)
    target = SqliteStore(tmp_path / "calls[prod].db", store.keyring, 1.0)
    with pytest.raises(Exception, match="No space left"):
        restore.restore(tmp_path / "backup.db", target, 0)
    target.close()
    assert drafts(tmp_path) == []
