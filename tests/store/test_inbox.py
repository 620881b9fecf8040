"""The durable inbox."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adapter.store import journal
from adapter.store.inbox import Inbox
from adapter.store.journal import SECTOR_BYTES
from adapter.store.sealing import Keyring
from tests.store.conftest import NEW_KEY, OLD_KEY

KEYRING = Keyring([OLD_KEY])
EVENT = {"call_id": "CA1", "ani": "+14155550123", "at": 100, "duration_seconds": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "waiting"


@pytest.fixture
def inbox(folder: Path) -> Inbox:
    return Inbox(folder, KEYRING, most_bytes=6 * SECTOR_BYTES)


def set_aside(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.broken"))


def test_nothing_waits_before_the_first_event(inbox: Inbox, folder: Path) -> None:
    assert list(inbox.waiting()) == []
    assert inbox.depth() == 0
    assert not folder.exists()


def test_events_wait_in_order_until_they_are_done(inbox: Inbox) -> None:
    assert all(inbox.put({"number": number}) for number in range(4))
    waiting = list(inbox.waiting())
    assert [event["number"] for _, event in waiting] == [0, 1, 2, 3]
    for name, _ in waiting[:3]:
        inbox.done(name)
        inbox.done(name)
    assert [event["number"] for _, event in inbox.waiting()] == [3]
    assert inbox.depth() == 1


def test_an_event_comes_back_as_it_was_put_in_another_process(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    assert [event for _, event in Inbox(folder, KEYRING).waiting()] == [EVENT]


def test_events_are_sealed_and_nobody_else_may_read_them(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    (file,) = folder.iterdir()
    assert b"5550123" not in file.read_bytes()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_left_of_an_event_that_is_done(folder: Path) -> None:
    inbox = Inbox(folder, Keyring())
    inbox.put(EVENT)
    assert b"5550123" in b"".join(file.read_bytes() for file in folder.iterdir())
    for name, _ in inbox.waiting():
        inbox.done(name)
    assert b"5550123" not in b"".join(file.read_bytes() for file in folder.iterdir())


def test_the_room_of_what_is_done_is_given_back(inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_WASTE_BYTES", 0)
    inbox.tidy()
    assert [inbox.put({"number": number}) for number in range(6)] == [True] * 5 + [False]
    first, *_ = inbox.waiting()
    inbox.done(first[0])
    reading = Inbox(folder, KEYRING).waiting()
    next(reading)
    inbox.tidy()
    assert not inbox.put(EVENT), "somebody is at it, whose places would be others in a new file"
    reading.close()  # type: ignore[attr-defined]
    inbox.tidy()
    assert inbox.put({"number": 6})
    assert [event["number"] for _, event in inbox.waiting()] == [1, 2, 3, 4, 6]


def test_a_full_inbox_takes_no_more_and_forgets_nothing(inbox: Inbox) -> None:
    assert [inbox.put({"number": number}) for number in range(7)] == [True] * 5 + [False] * 2
    assert [event["number"] for _, event in inbox.waiting()] == [0, 1, 2, 3, 4]


def test_a_disk_that_fails_is_told(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    assert not inbox.put(EVENT)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    inbox = Inbox(tmp_path / "file" / "waiting", KEYRING)
    assert not inbox.put(EVENT)
    assert inbox.depth() == 0
    inbox.reserve()
    assert "no room can be reserved" in caplog.text


def test_room_is_reserved_for_thousands(inbox: Inbox, folder: Path) -> None:
    inbox.reserve()
    (file,) = folder.iterdir()
    assert file.stat().st_blocks * 512 >= 8_000 * SECTOR_BYTES


@pytest.mark.parametrize(
    "payload",
    [b"", bytes(16) + b"\x00not json", bytes(16) + b"\x00[1, 2]", bytes(16) + b"\x01\x03old" + b"x" * 24],
    ids=["empty", "no json", "no object", "damaged"],
)
def test_what_cannot_be_read_is_set_aside_and_blocks_nothing(inbox: Inbox, folder: Path, payload: bytes) -> None:
    inbox._journal.append(payload)
    inbox.put({"number": 1})
    assert [event["number"] for _, event in inbox.waiting()] == [1]
    assert [path.read_bytes() for path in set_aside(folder)] == [payload]
    assert [event["number"] for _, event in inbox.waiting()] == [1]


def test_an_event_under_a_missing_key_waits_for_it(inbox: Inbox, folder: Path) -> None:
    Inbox(folder, Keyring([NEW_KEY])).put(EVENT)
    assert list(inbox.waiting()) == []
    assert [event for _, event in Inbox(folder, Keyring([NEW_KEY])).waiting()] == [EVENT]


def test_an_event_copied_under_another_name_does_not_open(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    ((at, _),) = inbox.waiting()
    copied = inbox._journal.raw(at)
    inbox.done(at)
    inbox._journal.append(bytes(16) + copied[16:])
    assert list(inbox.waiting()) == []


def test_one_at_a_time_takes_out_and_anybody_may_put(inbox: Inbox, folder: Path) -> None:
    inbox.put(EVENT)
    mine = inbox.waiting()
    next(mine)
    other = Inbox(folder, KEYRING)
    assert list(other.waiting()) == []
    assert other.put(EVENT)
    mine.close()  # type: ignore[attr-defined]
    assert len(list(other.waiting())) == 2


def test_the_inbox_lies_beside_the_database(tmp_path: Path) -> None:
    inbox = Inbox.of(f"sqlite:///{tmp_path}/calls.db", "unused", KEYRING)
    inbox.put(EVENT)
    assert (tmp_path / "calls.db.inbox").is_dir()


def test_what_an_earlier_version_kept_in_files_is_taken_over(inbox: Inbox, folder: Path) -> None:
    folder.mkdir()
    for number, keyring in enumerate((KEYRING, KEYRING, Keyring([NEW_KEY]))):
        name = f"{number:020d}-{number}.event"
        (folder / name).write_bytes(keyring.seal(json.dumps({"number": number}), name.encode()))
    (folder / f"{9:020d}-9.event").write_bytes(b"\x00half")
    os.utime(folder / f"{9:020d}-9.event", (0, 0))
    assert [event["number"] for _, event in inbox.waiting()] == [0, 1]
    assert [file.name[19] for file in sorted(folder.glob("*.event"))] == ["2"]
    assert [file.read_bytes() for file in set_aside(folder)] == [b"\x00half"]
    inbox.forget_set_aside(1_000)
    assert len(set_aside(folder)) == 1, "set aside a moment ago"


def test_files_of_an_earlier_version_wait_until_there_is_room(inbox: Inbox, folder: Path) -> None:
    for number in range(5):
        inbox.put({"number": number})
    name = f"{0:020d}-0.event"
    (folder / name).write_bytes(KEYRING.seal(json.dumps(EVENT), name.encode()))
    assert len(list(inbox.waiting())) == 5
    assert (folder / name).exists()
