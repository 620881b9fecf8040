"""Webhooks are answered by their deadline: what a caller waits for is done by another thread, and left alone when it
takes too long. Nothing else can be done about a disk that hangs in the middle of a write. Where the store has such a
thread of its own (`Store.keeps_deadlines`), its transactions are left to that.

Leaves out: what a caller hears then (`voice`), how long the store is waited for when it is merely busy (use cases).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

from adapter.errors import StoreUnavailable
from adapter.web import arrival

T = TypeVar("T")

# The last part of a deadline is for what can be done without the store: keeping an event, saying a sentence. Of the
# default 3 seconds, the store gets so much that a caller hears the neutral greeting within 2.
_LAST_SHARE = 2 / 5
# Who has waited so much of it for a thread is not kept waiting for the store, too: under a load that cannot be borne
# everybody would be served late, and that for nothing.
_LONGEST_QUEUE_SHARE = 1 / 6
_LOG = logging.getLogger(__name__)


class TooLate(StoreUnavailable):
    """The deadline did not leave the time for it."""


class Deadline:
    """What one process' webhooks have in common. `seconds`: from the arrival of a webhook to its answer."""

    def __init__(self, seconds: float, threads: int, keeps_deadlines: bool = False) -> None:
        """`threads`: how many answer webhooks at once. `keeps_deadlines`: the store's."""
        self._seconds = seconds
        self._keeps_deadlines = keeps_deadlines
        # Beside one for each, some that hang: the longer a disk does, the more of them there may be.
        self._helpers = _Helpers(4 * threads)

    def begins(self) -> InTime:
        """The present request's, which arrived before it came to a thread."""
        return InTime(self._helpers, self._seconds, arrival.waited(), time.monotonic(), self._keeps_deadlines)


@dataclass(frozen=True, slots=True)
class InTime:
    """One webhook's time. `waited`: seconds before it was `begun` (time.monotonic)."""

    _helpers: _Helpers
    seconds: float
    waited: float
    begun: float
    _keeps_deadlines: bool

    def transact(self, work: Callable[[], T]) -> T:
        """As `do`, for work that waits for nothing but a transaction of the store, with `Service.patience_seconds`."""
        if not self._keeps_deadlines:
            return self.do(work)
        self._begin()
        return work()

    def do(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; TooLate when that has not come in time, whatever becomes of it then."""
        self._begin()
        return self._helpers.run(work, self._left() - self.seconds * _LAST_SHARE)

    def do_at_last(self, work: Callable[[], T]) -> T:
        """The same in what is left of the time, and in any case in the part of it that is kept for this."""
        return self._helpers.run(work, max(self._left(), self.seconds * _LAST_SHARE))

    def _begin(self) -> None:
        if self.waited > self.seconds * _LONGEST_QUEUE_SHARE:
            raise TooLate("no thread was free in time")

    def _left(self) -> float:
        return self.seconds - self.waited - (time.monotonic() - self.begun)


class _Helpers:
    """Threads that work for others, which can leave them to it. Started when they are needed, ended by nobody."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._mutex = threading.Lock()
        self._started = self._idle = 0
        self._jobs: SimpleQueue[_Job[object]] = SimpleQueue()

    def run(self, work: Callable[[], T], seconds: float) -> T:
        job = _Job(partial(copy_context().run, work))  # a span that is begun there belongs to the one that is open here
        self._hand_over(job)
        return job.result(seconds)

    def _hand_over(self, job: _Job[T]) -> None:
        with self._mutex:
            if self._idle:
                self._idle -= 1
            elif self._started < self._most:
                threading.Thread(target=self._work, name="helper", daemon=True).start()
                self._started += 1
            else:
                raise TooLate("all threads that could do it hang")
        self._jobs.put(job)  # type: ignore[arg-type]  # what becomes of it is nothing to the queue

    def _work(self) -> None:
        while True:
            self._jobs.get().run()
            with self._mutex:
                self._idle += 1


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self._is_left = False
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
            if self._is_left:
                _LOG.warning("what came too late failed, too: %s", type(error).__name__)
        self._done.release()

    def result(self, seconds: float) -> T:
        if not self._done.acquire(timeout=max(0.0, seconds)):
            self._is_left = True
            raise TooLate("it was not done in time")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # None only where T has it
