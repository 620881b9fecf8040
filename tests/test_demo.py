"""`sticky-calls demo` as anybody runs it: a process, its output, and nothing left behind."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.slow

_REPOSITORY = Path(__file__).parent.parent
_SECONDS = 90
_RUNNING = "Ctrl-C stops it"
# Colours, foreground and background, plain and bright.
_COLOURED = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|4[0-7]|38|48)[;m]")


@pytest.fixture(autouse=True)
def _nothing_survives(tmp_path: Path) -> Iterator[None]:
    """Not even when a test fails."""
    yield
    for left in _processes_of(tmp_path):
        os.kill(left, signal.SIGKILL)


def test_the_story_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """On no terminal, as in a pipe: plain text."""
    told = subprocess.run(_command(), env=_environ(tmp_path), capture_output=True, text=True, timeout=_SECONDS)
    assert told.returncode == 0, told.stderr
    story = " ".join(told.stdout.split())
    assert "Hello and welcome. Thank you for calling us." in story
    assert "Welcome back, Maria. We are still working on your refund request." in story
    assert "reuse confidence 0.60 (medium) from ani:mobile, recency:1day" in story
    assert "The caller withheld the number." in story
    assert "403 FORBIDDEN" in story
    assert story.count("put through to +14155550199") == 3
    assert "\x1b" not in told.stdout
    assert told.stderr == ""
    _nothing_is_left(tmp_path)


def test_on_a_terminal_it_is_kept_until_ctrl_c_and_without_colours_when_asked(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    environ = {**_environ(tmp_path), "NO_COLOR": "1", "TERM": "xterm-256color"}
    with subprocess.Popen(_command("--keep"), env=environ, stdout=terminal, stderr=terminal) as demo:
        os.close(terminal)
        shown = _read_until(master, _RUNNING)
        _the_server_answers(shown)
        demo.send_signal(signal.SIGINT)
        shown += _read_until(master, None)
        assert demo.wait(timeout=_SECONDS) == 0
    os.close(master)
    assert "Stopped." in shown
    assert not _COLOURED.search(shown)
    _nothing_is_left(tmp_path)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_takes_its_server_and_its_folder_along(tmp_path: Path, sent: signal.Signals) -> None:
    with subprocess.Popen(_command("--keep"), env=_environ(tmp_path), stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        _read_until(demo.stdout.fileno(), _RUNNING)
        demo.send_signal(sent)
        assert demo.wait(timeout=_SECONDS) == 128 + sent
    _nothing_is_left(tmp_path)


def test_a_port_that_is_taken_is_told_and_whoever_listens_there_is_not_called(tmp_path: Path) -> None:
    """It could be a service that answers: the demo's calls are none of its."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = subprocess.run(
            _command("--port", str(port)), env=_environ(tmp_path), capture_output=True, text=True, timeout=_SECONDS
        )
        taken.setblocking(False)
        with pytest.raises(BlockingIOError):
            taken.accept()
    assert told.returncode == 1
    assert told.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: address already in use; choose another with --port\n"
    )
    _nothing_is_left(tmp_path)


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "adapter", "demo", *options]


def _environ(folder: Path) -> dict[str, str]:
    """The demo makes its folder in `folder`; what is configured on this machine must not matter."""
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    foreign = {"ADAPTER_SERVER__WORKERS": "none", "ADAPTER_CONFIG": "/nowhere", "HTTP_PROXY": "http://127.0.0.1:9"}
    return {**plain, **foreign, "TMPDIR": str(folder), "PYTHONPATH": str(_REPOSITORY)}


def _the_server_answers(shown: str) -> None:
    found = re.search(r"Authorization: Bearer\s+(\S+?)'", shown), re.search(r"http://127\.0\.0\.1:\d+", shown)
    assert all(found)
    key, address = found[0][1], found[1][0]  # type: ignore[index]
    with requests.Session() as session:
        session.trust_env = False
        body = {"call_id": "call_001", "identity_hints": {"ani": "+14155550123"}}
        answer = session.post(
            f"{address}/v1/calls/start", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
    assert answer.json()["variables"]["name"]["value"] == "Maria"


def _nothing_is_left(folder: Path) -> None:
    """No file, and no process that was told of a file there."""
    assert list(folder.iterdir()) == []
    assert _processes_of(folder) == []


def _processes_of(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def _read_until(descriptor: int, wanted: str | None) -> str:
    """What is shown up to (and a little beyond) `wanted`; None: to the end."""
    shown = b""
    while wanted is None or wanted.encode() not in shown:
        try:
            some = os.read(descriptor, 4096)
        except OSError:  # how a terminal ends
            some = b""
        if not some:
            assert wanted is None, shown.decode()
            break
        shown += some
    return shown.decode()
