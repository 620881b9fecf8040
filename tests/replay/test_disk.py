"""Recordings on a disk that is full, and under a recorder that is killed: calls go on, what is kept is readable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.replay.recording import Broken, Recorded, read

pytestmark = pytest.mark.slow

_RECORDS = """
import resource, signal, sys, time
from pathlib import Path
from adapter.replay.recording import Recorder, RotatingFile

if sys.argv[2] != "-":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
recorder = Recorder(RotatingFile(Path(sys.argv[1])), lambda webhook: webhook, lambda: 0)
slowest = 0.0
for number in range(10**9 if sys.argv[2] == "-" else 300):
    began = time.perf_counter()
    fields = [("CallSid", f"CA{number:032x}"), ("X", "x" * (number % 900))]
    recorder.record("POST", "/twilio/voice", fields, {}, status=200, content_type="text/xml", body="<Response/>")
    slowest = max(slowest, time.perf_counter() - began)
    if number % 50 == 0:
        time.sleep(0.005)
    if number == 2000:
        print("going", flush=True)
recorder.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
before = recorder.written
recorder.record("POST", "/twilio/status", [("CallSid", "CA" + "f" * 32)], {}, status=204, content_type="", body="")
recorder.close()
print(before, recorder.dropped, recorder.written - before, slowest)
"""


def records(file: Path, most_bytes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RECORDS, str(file), most_bytes]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_costs_lines_and_no_call_and_the_recording_stays_readable(tmp_path: Path) -> None:
    """The operating system refuses to let the file grow (EFBIG, in the middle of a write), then there is room again."""
    file = tmp_path / "calls.jsonl"
    told, log = records(file, "20000").communicate(timeout=60)
    written, dropped, afterwards, slowest = told.split()
    found = list(read(file))
    assert [each for each in found if isinstance(each, Broken)] == []
    assert (len(found), int(written) + int(dropped)) == (int(written) + 1, 300)
    assert int(dropped) > 0 < int(written)
    assert (afterwards, found[-1].kind) == ("1", "status")  # type: ignore[union-attr]
    assert float(slowest) < 1.0, "a call waited for its recording"
    assert "webhooks lost, the last because: File too large" in log


@pytest.mark.parametrize("killed", range(3))
def test_a_killed_recorder_leaves_whole_lines_and_at_most_one_that_is_told(tmp_path: Path, killed: int) -> None:
    """kill -9 in the middle of writing; the next recorder goes on in the same file."""
    file = tmp_path / "calls.jsonl"
    process = records(file, "-")
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    before = list(read(file))
    assert sum(isinstance(each, Recorded) for each in before) > 100
    assert [each.reason for each in before if isinstance(each, Broken)] in (
        [],
        ["cut off: the file ends within this line"],
    )
    told, _ = records(file, "100000000").communicate(timeout=60)
    after = list(read(file))
    assert sum(isinstance(each, Recorded) for each in after) == sum(isinstance(each, Recorded) for each in before) + 301
    assert len([each for each in after if isinstance(each, Broken)]) <= 1
    assert told.split()[1] == "0"
