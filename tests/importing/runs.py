"""The commands as a user runs them: an import at a terminal, one that is killed again and again, an export."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PEPPER = "p" * 43 + "="
_KEY = "a2V5LW9mLXRoZS10ZXN0cy1vbmx5LW5ldmVyLXJlYWw="
_RECORDS = re.compile(rb"([\d,]+) records")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command went. `shown`: the figures of its progress bar; `megabytes`: what it took at most."""

    code: int
    told: str
    seconds: float
    shown: tuple[str, ...] = ()
    megabytes: float = 0.0


def configured(folder: Path, url: str, *, sealed: bool) -> Path:
    """A configuration file in a new folder."""
    folder.mkdir()
    security: dict[str, Any] = {"pepper": _PEPPER}
    if sealed:
        security["encryption_keys"] = [{"id": "k1", "key": _KEY}]
    settings = {"database": {"url": url, "state_dir": str(folder / "state")}, "security": security}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return folder / "config.yaml"


def at_a_terminal(config: Path, *arguments: str) -> Ran:
    """Stderr is a terminal, so there is a progress bar."""
    ours, theirs = pty.openpty()
    began = time.monotonic()
    process = subprocess.Popen(_command(config, *arguments), stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown: list[bytes] = []
    reading = threading.Thread(target=_read_all, args=(ours, shown.append))
    reading.start()
    assert process.stdout is not None
    with process.stdout:
        told = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    reading.join()
    os.close(ours)
    figures = tuple(dict.fromkeys(found.decode() for found in _RECORDS.findall(b"".join(shown))))
    return Ran(process.returncode, told, seconds, figures, usage.ru_maxrss / 1_024)


def killed(config: Path, kills: int, within: float, chance: random.Random, *arguments: str) -> int:
    """Started and killed, each time somewhere else within so many seconds. How often it was not over already."""
    done = 0
    for _ in range(kills):
        process = subprocess.Popen(
            _command(config, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(chance.uniform(0.3, 1.0) * within)
        process.kill()
        done += process.wait() == -signal.SIGKILL
        _nobody_is_left(process.pid)
    return done


def progress(config: Path, *arguments: str) -> dict[str, int]:
    """What the import says at its end."""
    done = subprocess.run(_command(config, *arguments, "--json"), capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    return {name: told[name] for name in ("read", "created", "known", "refused")}


def _command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "adapter", "customers", *arguments, "--config", str(config)]


def _read_all(terminal: int, take: Callable[[bytes], None]) -> None:
    while True:
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other end is closed
            return
        if not read:
            return
        take(read)


def _nobody_is_left(session: int) -> None:
    """A second process that outlives the first would do so for ever."""
    deadline = time.monotonic() + 30
    while members := [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and _session(pid) == session]:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(members)} processes of a killed import live on")
        time.sleep(0.05)


def _session(process: Path) -> int | None:
    try:
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return None
    return None if state == "Z" else int(session)
