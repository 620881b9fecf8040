"""The file behind the inbox: what was appended is there, whatever happens beside it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from adapter.store import journal
from adapter.store.journal import MOST_PAYLOAD_BYTES, SECTOR_BYTES, Journal

RESERVED = 64 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "waiting" / "events.journal"


def at(path: Path, most_bytes: int = 1024 * 1024) -> Journal:
    """As another process would have it."""
    return Journal(path, most_bytes=most_bytes, reserved_bytes=RESERVED)


def payloads(path: Path) -> list[bytes | None]:
    return [payload for _, payload in at(path).waiting()]


def test_nothing_waits_before_the_first_and_nothing_is_made_for_asking(path: Path) -> None:
    assert (payloads(path), at(path).count()) == ([], 0)
    at(path).tidy()
    assert not path.parent.exists()


def test_what_several_processes_append_comes_in_the_order_of_appending(path: Path) -> None:
    mine, other = at(path), at(path)
    for number in range(6):
        assert (mine if number % 2 else other).append(b"%d" % number)
    assert payloads(path) == [b"%d" % number for number in range(6)]


@pytest.mark.parametrize("length", [0, 1, SECTOR_BYTES - 22, SECTOR_BYTES - 21, SECTOR_BYTES, MOST_PAYLOAD_BYTES])
def test_any_length_comes_back_and_the_next_one_too(path: Path, length: int) -> None:
    both = [os.urandom(length), b"next"]
    assert all(at(path).append(payload) for payload in both)
    assert payloads(path) == both


def test_what_is_too_long_or_finds_no_room_is_refused_and_the_rest_stays(path: Path) -> None:
    small = at(path, most_bytes=4 * SECTOR_BYTES)
    assert not small.append(bytes(MOST_PAYLOAD_BYTES + 1))
    assert [small.append(b"x") for _ in range(4)] == [True, True, True, False]
    assert payloads(path) == [b"x"] * 3


def test_what_is_done_waits_no_more_and_leaves_no_trace(path: Path) -> None:
    mine = at(path)
    for name in (b"Maria", b"John", b"Ada"):
        mine.append(name)
    _, john, _ = mine.waiting()
    mine.mark_done(john.at)
    mine.mark_done(john.at)
    assert payloads(path) == [b"Maria", b"Ada"]
    assert b"John" not in path.read_bytes()
    assert mine.count() == at(path).count() == 2


def test_they_are_counted_no_further_than_it_matters(path: Path) -> None:
    mine = at(path)
    for _ in range(4):
        mine.append(b"x")
    assert [mine.count(most) for most in (1, 4, 5)] == [1, 4, 4]


def test_what_was_done_in_a_file_that_was_replaced_is_nothing_else_in_the_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an event that was never applied would be lost."""
    monkeypatch.setattr(journal, "_WASTE_BYTES", 0)
    mine, other = at(path), at(path)
    for number in range(8):
        mine.append(b"%d" % number)
    read = list(mine.waiting())
    mine.mark_done(read[0].at)
    other.tidy()
    mine.mark_done(read[1].at)
    assert payloads(path) == [b"%d" % number for number in range(1, 8)]


def test_what_is_appended_while_somebody_reads_is_read_too(path: Path) -> None:
    mine = at(path)
    mine.append(b"first")
    read = []
    for record in mine.waiting():
        read.append(record.payload)
        mine.mark_done(record.at)
        if len(read) < 4:
            at(path).append(b"more")
    assert read == [b"first", b"more", b"more", b"more"]
    assert mine.count() == 0


def test_it_is_on_the_disk_before_it_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(path).append(b"before")
    done: list[str] = []
    real = {name: getattr(os, name) for name in ("pwrite", "fdatasync", "fsync")}
    for name in real:
        monkeypatch.setattr(os, name, lambda *given, name=name: (done.append(name), real[name](*given))[1])
    assert at(path).append(b"now")
    # Of a file that this process did not know: its name, too, is made to last.
    assert done == ["fsync", "pwrite", "fdatasync"]


def test_much_that_is_done_makes_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_WASTE_BYTES", 8 * SECTOR_BYTES)
    mine, other = at(path, RESERVED), at(path, RESERVED)
    for number in range(40):
        mine.append(b"%d" % number)
    for record in mine.waiting():
        if record.payload not in (b"7", b"39"):
            mine.mark_done(record.at)
    used = mine._last.at
    mine.tidy()
    assert other.append(b"new")
    assert payloads(path) == [b"7", b"39", b"new"]
    assert other._last.at < used
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_nobody_waits_while_all_that_waits_goes_on_in_a_new_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred thousand events it takes seconds; who has waited for longer than one would lose theirs."""
    monkeypatch.setattr(journal, "_WASTE_BYTES", 0)
    monkeypatch.setattr(journal, "_LOCK_SECONDS", 0.05)
    mine, other = at(path), at(path)
    for number in range(4):
        mine.append(b"%d" % number)
    mine.mark_done(next(mine.waiting()).at)
    real, told = journal._write, []

    def meanwhile(file: int, where: int, payload: bytes) -> None:
        if not told:
            told.append(True)
            assert other.append(b"meanwhile")
        real(file, where, payload)

    monkeypatch.setattr(journal, "_write", meanwhile)
    before = path.stat().st_ino
    mine.tidy()
    assert path.stat().st_ino != before
    assert payloads(path) == [b"1", b"2", b"3", b"meanwhile"]
    assert other.append(b"after")
    assert payloads(path)[-2:] == [b"meanwhile", b"after"]


def test_a_little_that_is_done_is_not_worth_a_new_file(path: Path) -> None:
    mine = at(path)
    mine.append(b"done")
    mine.mark_done(next(mine.waiting()).at)
    before = path.stat().st_ino
    mine.tidy()
    assert path.stat().st_ino == before


def test_a_new_file_that_does_not_fit_on_the_disk_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_WASTE_BYTES", 0)
    mine = at(path)
    mine.append(b"done")
    mine.append(b"waits")
    mine.mark_done(next(mine.waiting()).at)
    monkeypatch.setattr(os, "posix_fallocate", fails(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        mine.tidy()
    assert payloads(path) == [b"waits"]
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_what_is_appended_in_the_very_moment_of_replacing_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was opened, and is another one once its lock is had."""
    monkeypatch.setattr(journal, "_WASTE_BYTES", 0)
    mine, other = at(path), at(path)
    mine.append(b"done")
    mine.mark_done(next(mine.waiting()).at)
    real, told = journal._alone, []

    def replaced_meanwhile(file: int) -> Any:
        if not told:
            told.append(True)
            mine.tidy()
        return real(file)

    monkeypatch.setattr(journal, "_alone", replaced_meanwhile)
    assert other.append(b"kept")
    assert payloads(path) == [b"kept"]


def test_room_that_was_reserved_is_there_and_is_no_record(path: Path) -> None:
    mine = at(path)
    mine.reserve()
    mine.reserve()
    blocks = path.stat().st_blocks * 512
    assert blocks >= RESERVED
    assert mine.count() == 0
    mine.append(b"x")
    assert (path.stat().st_size, payloads(path)) == (RESERVED, [b"x"])


@pytest.mark.parametrize("part", [0, 10, 300])
def test_what_the_disk_takes_in_part_is_told_and_left_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    mine = at(path)
    mine.append(b"before")
    real = os.pwrite

    def full(file: int, data: bytes, where: int) -> int:
        return real(file, data[:part], where) if len(data) > 100 else real(file, data, where)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="only a part"):
            mine.append(bytes(600))
    assert mine.append(b"after")
    assert payloads(path) == [b"before", b"after"]


def test_a_torn_record_is_told_as_such_and_hides_nothing_behind_it(path: Path) -> None:
    mine = at(path)
    for payload in (b"a" * 900, b"b"):
        mine.append(payload)
    first = next(mine.waiting()).at
    with path.open("r+b") as file:
        file.seek(first + SECTOR_BYTES)
        file.write(bytes(SECTOR_BYTES))
    assert payloads(path) == [None, b"b"]
    torn = next(mine.waiting())
    assert mine.raw(torn.at).startswith(b"a" * 400)
    mine.mark_done(torn.at)
    assert payloads(path) == [b"b"]


def test_garbage_behind_the_last_record_is_written_over(path: Path) -> None:
    mine = at(path)
    mine.append(b"x")
    with path.open("ab") as file:
        file.write(b"\xff" * SECTOR_BYTES)
        file.truncate(4 * SECTOR_BYTES)
    assert at(path).append(b"y")
    assert payloads(path) == [b"x", b"y"]


def test_whoever_was_stopped_with_the_lock_stops_nobody_for_good(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LOCK_SECONDS", 0.05)
    mine = at(path)
    mine.append(b"x")
    with journal._opened(path) as file, journal._alone(file), pytest.raises(BlockingIOError):
        mine.append(b"y")
    assert mine.append(b"y")


def test_threads_and_processes_append_without_losing_any(path: Path) -> None:
    writing = (
        "import sys; from pathlib import Path; from adapter.store.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), most_bytes=10**6, reserved_bytes=10**4)\n"
        "[journal.append(b'%d' % number) for number in range(50)]"
    )
    processes = [subprocess.Popen([sys.executable, "-c", writing, str(path)]) for _ in range(2)]
    mine = at(path)
    threads = [threading.Thread(target=lambda: [mine.append(b"t") for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for each in (*threads, *processes):
        each.join() if isinstance(each, threading.Thread) else each.wait()
    found = payloads(path)
    assert len(found) == 200
    told = [payload for payload in found if payload != b"t"]
    assert sorted(told) == sorted(b"%d" % number for number in range(50) for _ in range(2))


@pytest.mark.slow
def test_kill_9_at_any_moment_loses_nothing_that_was_told(path: Path) -> None:
    writing = (
        "import sys; from pathlib import Path; from adapter.store.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), most_bytes=10**8, reserved_bytes=10**4)\n"
        "number = int(sys.argv[2])\n"
        "while journal.append(b'%d' % number): print(number, flush=True); number += 1"
    )
    told: list[int] = []
    for _ in range(5):
        start = told[-1] + 1_000 if told else 0
        command = [sys.executable, "-c", writing, str(path), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told += [int(process.stdout.readline()) for _ in range(30)]
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout]
    kept = [int(payload) for payload in payloads(path) if payload is not None]
    assert [number for number in told if number not in kept] == []
    assert kept == sorted(kept)


def fails(code: int) -> Any:
    def failing(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    return failing
