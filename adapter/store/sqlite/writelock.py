"""One writer at a time, in the order of asking: among the threads of a process, and fairly among processes.

SQLite's own busy-wait lets whoever wakes first win; under load some callers wait for seconds and some fail. Here
threads queue first in, first out, and processes pass a turnstile: a process that has had its turn cannot go again
before one that waits. Leaves out: what is done under the lock (`database`), and SQLite's locks, which still hold.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.errors import StoreUnavailable

# A process with a queue of its own keeps the file lock this long before it lets others in: passing it between
# processes costs a poll, passing it between threads nearly nothing.
TURN_SECONDS = 0.004
FIRST_POLL_SECONDS = 0.0001
LONGEST_POLL_SECONDS = 0.001


class WriteLock:
    """Fair between threads and processes. Not re-entrant: asking twice in one thread raises RuntimeError."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._file = _FileLock(path)
        self._timeout = timeout_seconds
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False
        self._owner = 0

    @contextmanager
    def held(self, timeout_seconds: float | None = None) -> Iterator[None]:
        """What is inside runs alone on this machine; StoreUnavailable when the turn comes too late."""
        self.acquire(timeout_seconds)
        try:
            yield
        finally:
            self.release()

    def acquire(self, timeout_seconds: float | None = None) -> None:
        """Wait in line, at most `timeout_seconds` (default: as constructed); StoreUnavailable when it took longer."""
        deadline = time.monotonic() + (self._timeout if timeout_seconds is None else timeout_seconds)
        if self._owner == threading.get_ident():
            raise RuntimeError("a write transaction inside a write transaction would wait for itself")
        self._queue(deadline)
        try:
            self._file.acquire(deadline)
        except BaseException:
            self.release()
            raise
        self._owner = threading.get_ident()

    def release(self) -> None:
        """Hand over to the next thread; the file lock goes with it while this process's turn lasts."""
        self._owner = 0
        with self._mutex:
            # Decided under the mutex: a file lock kept for a thread that has just given up would shut everybody out.
            if not (self._waiting and self._file.turn_lasts()):
                self._file.release()
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def abandon(self) -> None:
        """In a forked child: let go of the inherited descriptor without unlocking what the parent may hold."""
        self._file.abandon()

    def _queue(self, deadline: float) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            called = turn.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException:
            # A signal's exception (a worker told to stop) must not leave a dead thread in the line.
            if not self._step_out(turn):
                self.release()
            raise
        if not called and self._step_out(turn):
            raise StoreUnavailable("the database is busy: no turn to write within the time limit")

    def _step_out(self, turn: threading.Lock) -> bool:
        """False when the turn came in the very moment of giving up: then it is ours after all."""
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return True
            return False


class _FileLock:
    """flock on one file, behind a turnstile (a POSIX record lock on the same file; the two kinds do not meet).

    Used by one thread at a time. Whoever holds the turnstile is next; it lets go of it once inside.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._since = 0.0
        self._held = False

    def turn_lasts(self) -> bool:
        return self._held and time.monotonic() - self._since < TURN_SECONDS

    def acquire(self, deadline: float) -> None:
        if self._held:
            return
        try:
            descriptor = self._open()
            self._poll(fcntl.lockf, descriptor, deadline)
            try:
                self._poll(fcntl.flock, descriptor, deadline)
            finally:
                fcntl.lockf(descriptor, fcntl.LOCK_UN)
        except OSError as error:
            raise StoreUnavailable(f"the database cannot be locked: {self._path}: {error.strerror}") from error
        self._held = True
        self._since = time.monotonic()

    def release(self) -> None:
        if self._held:
            self._held = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def abandon(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._held = -1, False

    def _open(self) -> int:
        """The descriptor of the file that bears the name now: a lock on a deleted file would keep nobody out."""
        if self._descriptor >= 0:
            mine = os.fstat(self._descriptor)
            try:
                named = os.stat(self._path)
            except FileNotFoundError:
                named = None
            if named is not None and (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino):
                return self._descriptor
            self.abandon()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor

    @staticmethod
    def _poll(lock: object, descriptor: int, deadline: float) -> None:
        pause = FIRST_POLL_SECONDS
        assert callable(lock)
        while True:
            try:
                lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreUnavailable("the database is busy: another process is writing") from None
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_SECONDS)
