"""The durable inbox."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from adapter.store.inbox import Inbox
from adapter.store.sealing import Keyring
from tests.store.conftest import NEW_KEY, OLD_KEY

KEYRING = Keyring([OLD_KEY])
EVENT = {"call_id": "CA1", "ani": "+14155550123", "at": 100, "duration_seconds": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "waiting"


@pytest.fixture
def inbox(folder: Path) -> Inbox:
    return Inbox(folder, KEYRING, most_events=5)


def files(folder: Path, ending: str = ".event") -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending))


def test_nothing_waits_before_the_first_event(inbox: Inbox, folder: Path) -> None:
    assert list(inbox.waiting()) == []
    assert not folder.exists()


def test_events_wait_in_order_until_they_are_done(inbox: Inbox) -> None:
    assert all(inbox.put({"number": number}) for number in range(4))
    waiting = list(inbox.waiting())
    assert [event["number"] for _, event in waiting] == [0, 1, 2, 3]
    for name, _ in waiting[:3]:
        inbox.done(name)
        inbox.done(name)
    assert [event["number"] for _, event in inbox.waiting()] == [3]


def test_an_event_comes_back_as_it_was_put_in_another_process(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    assert [event for _, event in Inbox(folder, KEYRING).waiting()] == [EVENT]


def test_events_are_sealed_and_nobody_else_may_read_them(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    (file,) = files(folder)
    assert b"5550123" not in file.read_bytes()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_event_is_on_disk_before_it_is_told(inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.put(EVENT)
    steps: list[str] = []
    real_sync, real_rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        steps.append("sync " + ("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"))
        real_sync(descriptor)

    def rename(path: Path, target: Path) -> Path:
        steps.append("rename")
        return real_rename(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    assert inbox.put(EVENT)
    assert steps == ["sync file", "rename", "sync folder"]


def test_a_full_inbox_takes_no_more_and_forgets_nothing(inbox: Inbox) -> None:
    assert [inbox.put({"number": number}) for number in range(7)] == [True] * 5 + [False] * 2
    name, _ = next(inbox.waiting())
    inbox.done(name)
    assert inbox.put({"number": 8})


def test_a_disk_that_fails_is_told_and_leaves_no_rest(
    inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not inbox.put(EVENT)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not Inbox(tmp_path / "file" / "waiting", KEYRING).put(EVENT)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00not json", b"\x00[1, 2]", b"\x01\x03oldxxxxxxxxxxxxxxxxxxxxxxxx"],
    ids=["empty", "no json", "no object", "damaged"],
)
def test_a_broken_file_is_set_aside_and_blocks_nothing(inbox: Inbox, folder: Path, content: bytes) -> None:
    inbox.put({"number": 0})
    inbox.put({"number": 1})
    files(folder)[0].write_bytes(content)
    assert [event["number"] for _, event in inbox.waiting()] == [1]
    assert [path.read_bytes() for path in files(folder, ".broken")] == [content]
    assert [event["number"] for _, event in inbox.waiting()] == [1]


def test_an_event_under_a_missing_key_waits_for_it(inbox: Inbox, folder: Path) -> None:
    Inbox(folder, Keyring([NEW_KEY])).put(EVENT)
    assert list(inbox.waiting()) == []
    assert [event for _, event in Inbox(folder, Keyring([NEW_KEY])).waiting()] == [EVENT]


def test_an_event_copied_under_another_name_does_not_open(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    (file,) = files(folder)
    file.rename(folder / "00000000000000000001-copied.event")
    assert list(inbox.waiting()) == []


def test_an_event_done_by_somebody_meanwhile_is_skipped(inbox: Inbox, folder: Path) -> None:
    for number in range(3):
        inbox.put({"number": number})
    waiting = inbox.waiting()
    next(waiting)
    files(folder)[1].unlink()
    assert [event["number"] for _, event in waiting] == [2]


def test_one_at_a_time_takes_out_and_anybody_may_put(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    mine = inbox.waiting()
    next(mine)
    other = Inbox(folder, KEYRING)
    assert list(other.waiting()) == []
    assert other.put(EVENT)
    mine.close()  # type: ignore[attr-defined]
    assert len(list(other.waiting())) == 2


def test_a_half_written_event_is_not_an_event(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    (folder / "00000000000000000001-half.event.new").write_bytes(b"half")
    assert len(list(inbox.waiting())) == 1


def test_threads_put_without_losing_any(folder: Path) -> None:
    inbox = Inbox(folder, KEYRING)
    threads = [threading.Thread(target=lambda: [inbox.put(EVENT) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(inbox.waiting())) == 40


def test_the_inbox_lies_beside_the_database(tmp_path: Path) -> None:
    inbox = Inbox.of(f"sqlite:///{tmp_path}/calls.db", "unused", KEYRING)
    inbox.put(EVENT)
    assert (tmp_path / "calls.db.inbox").is_dir()
