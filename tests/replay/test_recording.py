"""Recordings stay readable whatever happens to file or writer, and recording never is in a call's way."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.recording import (
    Answer,
    Broken,
    Recorded,
    Recorder,
    RotatingFile,
    line_of,
    parts,
    read,
    read_stream,
    recorded_of,
)
from adapter.replay.recording.reader import LONGEST_LINE
from tests.builders import DIALED, NOW

WEBHOOK = Recorded(
    "POST",
    "/twilio/voice",
    (("CallSid", "CA1"), ("To", DIALED), ("City", "Málaga")),
    NOW,
    {"user-agent": "TwilioProxy/1.1"},
    Answer(200, "text/xml; charset=utf-8", "<Response/>"),
    {"recommendation": "reuse", "rules": ["ani.known"]},
    "first",
)
LINE = line_of(WEBHOOK)


@given(st.builds(Recorded, st.just("GET"), st.text(min_size=1), st.lists(st.tuples(st.text(), st.text())).map(tuple)))
def test_every_webhook_has_one_line_and_comes_back(webhook: Recorded) -> None:
    line = line_of(webhook)
    assert line.count(b"\n") == 1
    assert len(line.decode().splitlines()) == 1
    assert recorded_of(line.decode()) == webhook


def test_a_line_is_readable_by_people_and_names_its_version_first() -> None:
    assert recorded_of(LINE.decode()) == WEBHOOK
    assert LINE.decode().startswith('{"recording": 1, "at": "2026-02-07T10:30:00.000Z", "method": "POST"')
    assert "Málaga" in LINE.decode()


def test_a_lone_surrogate_costs_no_line() -> None:
    odd = Recorded("POST", "/", (("From", "\ud800"),))
    assert recorded_of(line_of(odd).decode()) == odd


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", 'it has no "recording"'),
        ('{"a": 1}', 'it has no "recording"'),
        (LINE.decode().replace(": 1,", ": 2,", 1), "version 2 of the format; this program reads 1"),
        (LINE.decode().replace('"POST"', "7"), '"method" is not a text'),
        (LINE.decode().replace('[["CallSid"', '["x", ["CallSid"'), "not a name with a value"),
        (LINE.decode().replace("2026-02-07", "yesterday"), '"at" is not a time'),
        (re.sub('"at": "[^"]*"', '"at": "9999-12-31T23:59:59-23:59"', LINE.decode()), '"at" is not a time'),
        (LINE.decode().replace('"status": 200', '"status": "ok"'), '"answer" has no status'),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["torn", "a list", "something else", "newer", "method", "fields", "time", "no year", "answer", "deep"],
)
def test_a_broken_line_is_told_with_its_number_and_reason_and_the_rest_is_read(line: str, reason: str) -> None:
    file = io.BytesIO(LINE + line.strip().encode() + b"\n" + LINE)
    first, broken, last = read_stream(file, "calls.jsonl")
    assert first == last == WEBHOOK
    assert isinstance(broken, Broken)
    assert str(broken).startswith("calls.jsonl: line 2: ")
    assert reason in broken.reason


def test_a_key_of_a_later_program_is_read_over() -> None:
    entry = {**json.loads(LINE), "weather": "fine"}
    assert recorded_of(json.dumps(entry)) == WEBHOOK


@pytest.mark.parametrize("cut", [1, LINE.index(b"\xc3") + 1, len(LINE) // 2, len(LINE) - 2])
def test_a_last_line_that_is_cut_off_is_told_as_such(cut: int) -> None:
    first, broken = read_stream(io.BytesIO(LINE + LINE[:cut]), "x")
    assert first == WEBHOOK
    assert str(broken) == "x: line 2: cut off: the file ends within this line"


def test_a_whole_last_line_without_its_end_is_read() -> None:
    assert list(read_stream(io.BytesIO(LINE.rstrip()), "x")) == [WEBHOOK]


def test_a_line_longer_than_any_webhook_is_passed_over_in_pieces() -> None:
    for length in (LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE):
        file = io.BytesIO(b"x" * length + b"\n" + LINE)
        broken, last = read_stream(file, "x")
        assert isinstance(broken, Broken)
        assert last == WEBHOOK


def test_lines_that_are_no_text_and_empty_ones_cost_nothing_else() -> None:
    found = list(read_stream(io.BytesIO(b"\xff\xfe\n\n" + LINE), "x"))
    assert [str(found[0]), found[1]] == ["x: line 1: not UTF-8", WEBHOOK]


def test_a_recording_rotates_by_size_keeps_so_many_files_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "in" / "calls.jsonl"
    file = RotatingFile(path, most_bytes=3 * len(LINE), files=3)
    for number in range(10):
        file.append([line_of(Recorded("POST", f"/{number}", ()))] * 3)
    assert [part.name for part in parts(path)] == ["calls.jsonl.2", "calls.jsonl.1", "calls.jsonl"]
    read_back = [each.path for part in parts(path) for each in read(part) if isinstance(each, Recorded)]
    assert read_back == [*sorted(read_back)]
    assert read_back[-1] == "/9"
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts(path)} == {0o600}
    assert len(list(path.parent.iterdir())) == 3


def test_a_single_file_begins_anew_when_it_is_full(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "x", most_bytes=len(LINE), files=1)
    file.append([LINE])
    file.append([LINE])
    assert (tmp_path / "x").read_bytes() == LINE


def test_files_of_when_more_were_kept_go_with_the_next_rotation(tmp_path: Path) -> None:
    path = tmp_path / "x"
    more, fewer = (RotatingFile(path, most_bytes=len(LINE), files=files) for files in (6, 2))
    for _ in range(6):
        more.append([LINE])
    assert len(parts(path)) == 6
    fewer.append([LINE])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x", "x.1"]


def test_what_a_killed_writer_left_half_done_is_closed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(LINE + LINE[:40])
    RotatingFile(path).append([LINE])
    first, broken, last = read(path)
    assert first == last == WEBHOOK
    assert isinstance(broken, Broken)


def test_a_full_disk_leaves_whole_lines_and_the_recording_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    file = RotatingFile(path)
    file.append([LINE])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 50:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, data[: len(data) - 10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        file.append([LINE])
    monkeypatch.undo()
    assert path.read_bytes() == LINE
    file.append([LINE])
    assert list(read(path)) == [WEBHOOK, WEBHOOK]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        RotatingFile(tmp_path / "x").append([LINE])


def test_a_file_that_is_rotated_away_while_one_waits_for_it_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(LINE)
    flock = fcntl.flock

    def rotated_meanwhile(descriptor: int, operation: int) -> None:
        flock(descriptor, operation)
        if not (tmp_path / "x.1").exists():
            path.rename(tmp_path / "x.1")

    monkeypatch.setattr(fcntl, "flock", rotated_meanwhile)
    RotatingFile(path).append([LINE])
    assert path.read_bytes() == (tmp_path / "x.1").read_bytes() == LINE


def test_processes_that_record_together_lose_and_mix_no_line(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from adapter.replay.recording import RotatingFile, Recorded, line_of\n"
        "file = RotatingFile(Path(sys.argv[1]), most_bytes=20_000, files=100)\n"
        "for number in range(200): file.append([line_of(Recorded('POST', f'/{sys.argv[2]}/{number}', ()))])\n"
    )
    path = tmp_path / "x"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(each)]) for each in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = [each for part in parts(path) for each in read(part)]
    assert len(found) == 600
    assert {each.path for each in found if isinstance(each, Recorded)} == {
        f"/{process}/{number}" for process in range(3) for number in range(200)
    }


class Shelf:
    """A file that keeps lines in memory; `blocked` until it is released."""

    def __init__(self, blocked: bool = False, error: OSError | None = None) -> None:
        self.lines: list[bytes] = []
        self.released = threading.Event()
        self.reached = threading.Event()
        self.error = error
        if not blocked:
            self.released.set()

    def append(self, lines: Sequence[bytes]) -> None:
        self.reached.set()
        assert self.released.wait(10)
        if self.error:
            raise self.error
        self.lines += lines


def a_recorder(file: Shelf, **changes: object) -> Recorder:
    return Recorder(file, lambda webhook: webhook, lambda: NOW, **changes)  # type: ignore[arg-type]


def test_what_an_edge_tells_is_recorded_with_the_time() -> None:
    shelf = Shelf()
    recorder = a_recorder(shelf)
    fields = [("CallSid", "CA1"), ("To", DIALED)]
    told = {"status": 200, "content_type": "text/xml", "body": "<Response/>"}
    recorder.record("POST", "/twilio/voice?a=1", fields, {"User-Agent": "T"}, **told, receipt={"place": "menu"})
    recorder.record("GET", "/twilio/voice?CallSid=CA1", fields, {}, **told)
    recorder.close()
    first, second = (recorded_of(line.decode()) for line in shelf.lines)
    assert (first.at, first.path, first.headers) == (NOW, "/twilio/voice?a=1", {"user-agent": "T"})
    assert (first.answer, first.receipt) == (Answer(200, "text/xml", "<Response/>"), {"place": "menu"})
    assert second.path == "/twilio/voice"


def test_a_call_never_waits_and_what_does_not_fit_is_counted_and_told_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf, seconds = Shelf(blocked=True), [100.0]
    recorder = a_recorder(shelf, most_waiting=2, steady=lambda: seconds[0])
    recorder.offer(WEBHOOK)
    assert shelf.reached.wait(10)
    for _ in range(5):
        recorder.offer(WEBHOOK)
    assert recorder.dropped == 3
    assert len(caplog.records) == 1
    seconds[0] += 60
    recorder.offer(WEBHOOK)
    assert [record.getMessage() for record in caplog.records] == [
        "recording: 1 webhooks lost, the last because: the queue is full",
        "recording: 3 webhooks lost, the last because: the queue is full",
    ]
    shelf.released.set()
    recorder.close()
    assert recorder.written == len(shelf.lines) == 3


def test_what_is_offered_while_the_last_batch_is_written_is_written_too() -> None:
    writing, may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    class Slow(Shelf):
        def append(self, lines: Sequence[bytes]) -> None:
            writing.release()
            assert may_go_on.acquire(timeout=10)
            super().append(lines)

    shelf = Slow()
    recorder = a_recorder(shelf)
    recorder.offer(WEBHOOK)
    assert writing.acquire(timeout=10)
    recorder.offer(WEBHOOK)
    recorder.close(0)
    may_go_on.release()
    assert writing.acquire(timeout=10)
    recorder.offer(WEBHOOK)  # the thread was told to end, and still lives
    for _ in range(2):
        may_go_on.release()
    recorder.close()
    assert (recorder.written, recorder.dropped) == (3, 0)


def test_nothing_that_is_offered_is_left_behind_however_often_it_ends() -> None:
    shelf = Shelf()
    recorder = a_recorder(shelf, most_waiting=100_000)
    offering = threading.Thread(target=lambda: [recorder.offer(WEBHOOK) for _ in range(2_000)])
    offering.start()
    while offering.is_alive():
        recorder.close()
    offering.join()
    recorder.close()
    assert (recorder.written, recorder.dropped) == (2_000, 0)


def test_a_full_disk_is_counted_and_the_recorder_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(error=OSError(errno.ENOSPC, "full"))
    recorder = a_recorder(shelf)
    recorder.offer(WEBHOOK)
    recorder.close()
    shelf.error = None
    recorder.offer(WEBHOOK)
    recorder.close()
    assert (recorder.dropped, recorder.written) == (1, 1)
    assert "No space left" in caplog.text


def test_a_webhook_that_cannot_be_cleaned_is_not_written_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    cleaned = iter([ValueError("about +14155550123"), None])

    def clean(webhook: Recorded) -> Recorded:
        if error := next(cleaned):
            raise error
        return webhook

    recorder = Recorder(shelf, clean, lambda: NOW)
    recorder.offer(WEBHOOK)
    recorder.offer(WEBHOOK)
    recorder.close()
    assert (recorder.dropped, recorder.written) == (1, 1)
    assert "4155550123" not in caplog.text


def test_nothing_that_an_edge_hands_over_raises() -> None:
    recorder = a_recorder(Shelf())
    recorder.record("POST", None, None, None, status=200, content_type="", body="")  # type: ignore[arg-type]
    assert recorder.dropped == 1


def test_a_forked_process_records_with_a_thread_of_its_own(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from adapter.replay.recording import Recorder, RotatingFile, Recorded\n"
        "recorder = Recorder(RotatingFile(Path(sys.argv[1])), lambda each: each, lambda: 0)\n"
        "recorder.offer(Recorded('POST', '/parent', ()))\n"
        "recorder.close()\n"
        "child = os.fork()\n"
        "recorder.offer(Recorded('POST', '/after', ()))\n"
        "if child: os.waitpid(child, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "x")], timeout=60, check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    found = [each.path for each in read(tmp_path / "x") if isinstance(each, Recorded)]
    assert found == ["/parent", "/after", "/after"]


def test_a_forked_process_leaves_what_waited_to_its_parent() -> None:
    code = (
        "import os, threading\n"
        "from adapter.replay.recording import Recorder, Recorded\n"
        "class Shelf:\n"
        "    lines, reached, released = [], threading.Event(), threading.Event()\n"
        "    def append(self, lines): self.reached.set(); self.released.wait(); self.lines += lines\n"
        "shelf = Shelf()\n"
        "recorder = Recorder(shelf, lambda each: each, lambda: 0)\n"
        "recorder.offer(Recorded('POST', '/written', ())); shelf.reached.wait()\n"
        "recorder.offer(Recorded('POST', '/waiting', ()))\n"
        "child = os.fork()\n"
        "shelf.released.set()\n"
        "if not child: recorder.offer(Recorded('POST', '/child', ()))\n"
        "recorder.close(30)\n"
        "if child: os.waitpid(child, 0)\n"
        "print(len(shelf.lines), flush=True)\n"
        "os._exit(0)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["1", "2"], "")


@pytest.mark.parametrize(
    ("fields", "path", "kind"),
    [
        ((), "/twilio/whisper/abc/2", "whisper"),
        ((("CallStatus", "ringing"),), "/ivr", "voice"),
        ((("Digits", "1"),), "/ivr", "turn"),
        ((("DialCallStatus", "busy"),), "/ivr", "turn"),
        ((("CallStatus", "completed"),), "/ivr", "status"),
        ((("CallStatus", "in-progress"), ("CallbackSource", "call-progress-events")), "/ivr", "status"),
        ((("CallStatus", "in-progress"), ("ParentCallSid", "CA1")), "/ivr", "whisper"),
    ],
)
def test_the_kind_is_told_by_our_address_or_else_by_the_fields(
    fields: tuple[tuple[str, str], ...], path: str, kind: str
) -> None:
    assert Recorded("POST", path, fields).kind == kind
