"""Client processes that wait for one word and then all send at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.serving import WORKER_HEADER, Request

PROCESSES = 8
_RACER = Path(__file__).with_name("racer.py")


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request came to. `sent`, `done`: monotonic seconds. Status 0: no answer, `error` says why."""

    number: int
    sent: float
    done: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def worker(self) -> str:
        return self.headers.get(WORKER_HEADER.lower(), "")


class Racers:
    """Eight processes. One race at a time."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes
        self.sent = 0
        self.workers: set[str] = set()

    def race(self, port: int, requests: Sequence[Request]) -> list[Reply]:
        """Every request once, all at once; the replies in the order of the requests."""
        return sorted(self._run(port, requests, None), key=lambda reply: reply.number)

    def hammer(self, port: int, requests: Sequence[Request], seconds: float) -> list[Reply]:
        """Every request again and again for so long; the replies in the order in which they were sent."""
        return sorted(self._run(port, requests, seconds), key=lambda reply: reply.sent)

    def _run(self, port: int, requests: Sequence[Request], seconds: float | None) -> list[Reply]:
        shares = [requests[place::PROCESSES] for place in range(PROCESSES)]
        until = None if seconds is None else time.monotonic() + seconds
        for process, share in zip(self._processes, shares, strict=True):
            _say(process, {"port": port, "requests": [asdict(request) for request in share], "until": until})
        for process in self._processes:
            _hear(process)
        for process in self._processes:
            _say(process, "go")
        replies = []
        for place, process in enumerate(self._processes):
            for found in _hear(process):
                replies.append(Reply(**{**found, "number": found["number"] * PROCESSES + place}))
        self.sent += len(replies)
        self.workers |= {reply.worker for reply in replies if reply.status}
        return replies


@contextmanager
def racers() -> Iterator[Racers]:
    """The processes, started; ended afterwards."""
    command = [sys.executable, str(_RACER)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        yield Racers(processes)
    finally:
        for process in processes:
            process.stdin.close()  # type: ignore[union-attr]
        for process in processes:
            process.wait(timeout=90)
            process.stdout.close()  # type: ignore[union-attr]


def _say(process: subprocess.Popen[str], what: object) -> None:
    stream: TextIO = process.stdin  # type: ignore[assignment]
    stream.write(json.dumps(what) + "\n")
    stream.flush()


def _hear(process: subprocess.Popen[str]) -> Any:
    line = process.stdout.readline()  # type: ignore[union-attr]
    if not line:
        raise RuntimeError("a client process has ended by itself")
    return json.loads(line)
