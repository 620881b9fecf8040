"""Threads that want to write at the same time share one transaction, and with it one commit.

An acknowledged write waits for the disk, and for its turn among the processes of the machine; who shares both waits for
neither. Whoever comes first leads: it does its own work and that of all who have come by then, commits once, tells
them, and hands on to the first of those who came meanwhile. No thread works for others more than once for its own.
Leaves out: what a transaction is (`sqlite_store`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from adapter.engine.model import Realm
from adapter.errors import AdapterError, StoreUnavailable

from .database import Transaction

T = TypeVar("T")


class Job(Generic[T]):
    """What one thread wants done; another one may do it. `failed`: what its thread raises in place of a result."""

    __slots__ = ("_result", "deadline", "failed", "is_done", "realm", "thread", "turn", "work")

    def __init__(self, realm: Realm, work: Callable[[Transaction], T], deadline: float) -> None:
        """`deadline`: of `time.monotonic`; until then its turn has to come."""
        self.realm = realm
        self.work = work
        self.deadline = deadline
        self.thread = threading.get_ident()
        self.failed: BaseException | None = None
        self.is_done = False
        # Let go of when it is done, and when its thread is to lead.
        self.turn = threading.Lock()
        self.turn.acquire()
        self._result: T | None = None

    def run(self, tx: Transaction) -> None:
        """Raises what the work raises."""
        self._result = self.work(tx)

    def result(self) -> T:
        """What the work returned."""
        if self.failed is not None:
            raise self.failed
        return self._result  # type: ignore[return-value]  # it has run


Jobs = Sequence[Job[Any]]
# Calls the function for the jobs once it may write, does all of them in one transaction and commits it. A job that
# fails alone gets its `failed`; what this raises, all of them fail with. It has until the deadline to begin.
Together = Callable[[Callable[[], Jobs], float], None]


class GroupCommit:
    """Of one process, for one database."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[Job[Any]] = deque()
        # The job whose thread works, or is about to; while there is one, everybody else waits.
        self._leader: Job[Any] | None = None

    def do(self, job: Job[T], together: Together) -> T:
        """Its result, once that is committed. StoreUnavailable when its turn did not come by its deadline."""
        leader = self._leader
        if leader is not None and leader.thread == job.thread:
            raise RuntimeError("a write transaction inside a write transaction would wait for itself")
        if not self._leads(job):
            self._wait(job)
        if not job.is_done:
            self._lead(job, together)
        return job.result()

    def _leads(self, job: Job[T]) -> bool:
        with self._mutex:
            self._waiting.append(job)
            if self._leader is None:
                self._leader = job
            return self._leader is job

    def _wait(self, job: Job[T]) -> None:
        """Until it is done or is to lead."""
        try:
            called = job.turn.acquire(timeout=max(0.0, job.deadline - time.monotonic()))
        except BaseException:
            # A signal's exception (a worker told to stop) must not leave a dead thread to lead.
            self._leave(job)
            raise
        if called:
            return
        if self._step_out(job):
            raise StoreUnavailable("the database is busy: no turn to write within the time limit")
        # Its turn came in the very moment of giving up.
        job.turn.acquire()

    def _leave(self, job: Job[T]) -> None:
        if not self._step_out(job) and self._leader is job:
            self._hand_on(job)

    def _step_out(self, job: Job[T]) -> bool:
        """False when it is too late for that."""
        with self._mutex:
            if job not in self._waiting or self._leader is job:
                return False
            self._waiting.remove(job)
            return True

    def _lead(self, job: Job[T], together: Together) -> None:
        taken: list[Job[Any]] = []

        def take() -> Jobs:
            with self._mutex:
                taken.extend(self._waiting)
                self._waiting.clear()
            return taken

        try:
            together(take, job.deadline)
        except BaseException as error:
            for other in taken:
                other.failed = other.failed or _failure(error)
            raise
        finally:
            for other in taken:
                other.is_done = True
                if other is not job:
                    other.turn.release()
            self._hand_on(job)

    def _hand_on(self, job: Job[T]) -> None:
        with self._mutex:
            if job in self._waiting:  # it never came to work
                self._waiting.remove(job)
            self._leader = self._waiting[0] if self._waiting else None
            if self._leader is not None:
                self._leader.turn.release()


def _failure(error: BaseException) -> AdapterError:
    """One for each thread: an exception that several raise gets all their tracebacks."""
    if isinstance(error, AdapterError):
        return type(error)(error.message)
    return StoreUnavailable(f"the transaction was given up: {type(error).__name__}")
