"""Records webhooks beside the calls, never in their way: what cannot be kept is counted and let go.

A call only puts its webhook into a bounded queue; one thread of the process takes out, replaces what is personal and
writes. Leaves out: which webhooks are offered (the voice edge) and what is personal (`adapter.replay.pseudonyms`).
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from adapter.engine.model import Millis

from .lines import line_of
from .values import Answer, Receipt, Recorded

_LOG = logging.getLogger(__name__)
_MOST_WAITING: Final = 1_000
_BATCH: Final = 100  # lines a write
_WARN_EVERY_SECONDS: Final = 60.0
_END_WITHIN_SECONDS: Final = 2.0  # a worker that is told to stop has callers to serve


class File(Protocol):
    """Where lines go: `RotatingFile`."""

    def append(self, lines: Sequence[bytes]) -> None: ...


class Recorder:
    """`clean` is applied in the thread before anything is written. Nothing here raises or waits in the thread of a
    call; safe to use before and after a fork."""

    def __init__(
        self,
        file: File,
        clean: Callable[[Recorded], Recorded],
        now: Callable[[], Millis],
        *,
        most_waiting: int = _MOST_WAITING,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._clean = clean
        self._now = now
        self._most_waiting = most_waiting
        self._steady = steady
        self.dropped = 0
        self.written = 0
        self.renew()
        _watch(self)

    def record(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        *,
        status: int,
        content_type: str,
        body: str,
        receipt: Receipt | None = None,
        at: Millis | None = None,
        sent: object = None,
        key: tuple[str, str] | None = None,
    ) -> None:
        """The door for edges: plain values. `target`: path and query as they came over the wire. `at`: when it came,
        if that is known better than by the present. `sent` and `key`: see `Recorded`."""
        try:
            path = target if method != "GET" else target.partition("?")[0]
            lowered = {name.lower(): value for name, value in headers.items()}
            webhook = Recorded(method, path or "/", tuple(fields), at, lowered, sent=sent, key=key)
            self.offer(webhook, Answer(status, content_type, body), receipt)
        except Exception as error:  # noqa: BLE001 - a recording is worth less than the call it records
            self._lose(type(error).__name__)

    def offer(self, webhook: Recorded, answer: Answer | None = None, receipt: Receipt | None = None) -> None:
        """Keep it, if there is room. Without a time of its own the webhook gets the present."""
        at = self._now() if webhook.at is None else webhook.at
        entry = replace(webhook, at=at, answer=answer or webhook.answer, receipt=receipt or webhook.receipt)
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            self._lose("the queue is full")
            return
        self._start()

    def close(self, within_seconds: float = _END_WITHIN_SECONDS) -> None:
        """Write what waits, for so long. What is offered afterwards is written, too."""
        with self._starting:
            thread = self._thread
        if thread is None or not thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=within_seconds)
        except queue.Full:
            return
        thread.join(within_seconds)

    def renew(self) -> None:
        """Begin anew: what waited in a process before it forked is that process's to write."""
        self._queue: queue.Queue[Recorded | None] = queue.Queue(self._most_waiting)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._warned_at = -_WARN_EVERY_SECONDS
        self._lost_since_warning = 0

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        ending = False
        while not (ending and self._ends()):
            entry = self._queue.get()
            lines = []
            while True:
                ending = ending or entry is None
                line = self._line(entry) if entry is not None else None
                if line is not None:
                    lines.append(line)
                if len(lines) >= _BATCH or self._queue.empty():
                    break
                entry = self._queue.get()
            self._write(lines)

    def _ends(self) -> bool:
        """Whether nothing was offered since: with this thread still alive, nobody else would take it out.

        First it is no longer the thread, so that whoever offers something now is seen here, or starts another.
        """
        with self._starting:
            thread, self._thread = self._thread, None
            if self._queue.empty():
                return True
            self._thread = thread
            return False

    def _line(self, entry: Recorded) -> bytes | None:
        try:
            return line_of(self._clean(entry))
        except Exception as error:  # noqa: BLE001 - one odd webhook must not end the recording
            self._lose(type(error).__name__)
            return None

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        try:
            self._file.append(lines)
            self.written += len(lines)
        except OSError as error:
            self._lose(os.strerror(error.errno or 0) if error.errno else type(error).__name__, len(lines))

    def _lose(self, reason: str, count: int = 1) -> None:
        """Counted; told once a minute, or a full disk would fill the log, too."""
        self.dropped += count
        self._lost_since_warning += count
        now = self._steady()
        if now - self._warned_at >= _WARN_EVERY_SECONDS:
            self._warned_at = now
            lost, self._lost_since_warning = self._lost_since_warning, 0
            _LOG.warning("recording: %d webhooks lost, the last because: %s", lost, reason)


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()
_registered: list[bool] = []


def _watch(recorder: Recorder) -> None:
    _recorders.add(recorder)
    if not _registered:
        _registered.append(True)
        os.register_at_fork(after_in_child=_renew_all)
        atexit.register(close_all)


def _renew_all() -> None:
    for recorder in tuple(_recorders):
        recorder.renew()


def close_all() -> None:
    """Write what waits, of every recorder of this process."""
    for recorder in tuple(_recorders):
        recorder.close()
