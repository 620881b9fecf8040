"""Threads that want to write at the same time share one transaction, and with it one commit.

An acknowledged write waits for the disk, and for its turn among the processes of the machine; who shares both waits for
neither. A thread of its own writes: it does the work of all who wait, commits once, tells them, and goes on with those
who came meanwhile. Who waits can give up, even when the disk hangs in the middle of a write.
Leaves out: what a transaction is (`sqlite`, `postgres`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from adapter.engine.model import Realm
from adapter.errors import AdapterError, StoreUnavailable

from .database import Ahead
from .transaction import Transaction

T = TypeVar("T")
# A thread that nobody needs ends, and with it a store that was forgotten.
_IDLE_SECONDS = 5.0
_FEW = 1.2


class Job(Generic[T]):
    """What one thread wants done; another one does it. `failed`: what its thread raises in place of a result."""

    __slots__ = ("_result", "ahead", "deadline", "done", "failed", "is_hurried", "last", "realm", "work")

    def __init__(
        self,
        realm: Realm,
        work: Callable[[Transaction], T],
        deadline: float,
        last: float | None,
        ahead: Ahead | None = None,
        *,
        is_hurried: bool = False,
    ) -> None:
        """Of `time.monotonic`: until `deadline` its turn has to come, until `last` its end; None: that is awaited.

        `ahead`: of `Store.transact`.
        """
        self.realm = realm
        self.ahead = ahead
        self.is_hurried = is_hurried
        self.work = work
        self.deadline = deadline
        self.last = last
        self.failed: BaseException | None = None
        # Let go of when it is.
        self.done = threading.Lock()
        self.done.acquire()
        self._result: T | None = None

    def run(self, tx: Transaction) -> None:
        """Raises what the work raises."""
        self._result = self.work(tx)

    def run_apart(self, tx: Transaction) -> None:
        """Among others: what it raises undoes what it did, and nothing else."""
        try:
            with tx.savepoint():
                self.run(tx)
        except StoreUnavailable:
            raise  # the database's fault, and so everybody's
        except Exception as error:  # noqa: BLE001 - its own thread raises it
            self.failed = error

    def result(self) -> T:
        """What the work returned."""
        if self.failed is not None:
            raise self.failed
        return self._result  # type: ignore[return-value]  # it has run


Jobs = Sequence[Job[Any]]


class Round:
    """The jobs of one transaction, until they are told how it ended.

    `waiting`: who waits as it begins. Each of them may step out until they are taken.
    """

    def __init__(self, waiting: Jobs, take: Callable[[], Jobs]) -> None:
        self.waiting = waiting
        # Until then it has to have its turn: nobody waits for longer.
        self.deadline = max(job.deadline for job in waiting)
        self.taken: list[Job[Any]] = []
        self._take = take
        self._is_told = False

    def take(self) -> Jobs:
        """All so far, who still waits, and who has come since."""
        self.taken.extend(self._take())
        return self.taken

    def fail(self, error: BaseException, *, is_late: bool) -> None:
        """What was committed is committed, whatever happens after it."""
        if self._is_told:
            return
        if not self.taken and not is_late:
            self.take()  # nobody would get further
        for job in self.taken:
            job.failed = job.failed or (error if len(self.taken) == 1 else _failure(error))

    def tell(self) -> None:
        """They go on."""
        if self._is_told:
            return
        self._is_told = True
        for job in self.taken:
            job.done.release()


# Takes the jobs once it has its turn, does all of them in one transaction and commits it; then it may tell them, and
# nobody waits for what it does after that. A job that fails alone gets its `failed`; what this raises before they are
# told, all of them fail with.
Together = Callable[[Round], None]


class GroupCommit:
    """Of one process, for one database."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[Job[Any]] = deque()
        self._writer: threading.Thread | None = None
        # While the writer has nothing to do, it waits for this.
        self._is_called = threading.Lock()
        self._is_called.acquire()
        self._is_idle = False
        # How many write together: an average in which the last round counts for a tenth.
        self._crowd = 0.0

    def do(self, job: Job[T], together: Together) -> T:
        """Its result, once that is committed. StoreUnavailable when its turn, or its end, did not come in time."""
        if threading.current_thread() is self._writer:
            raise RuntimeError("a write transaction inside a write transaction would wait for itself")
        try:
            self._hand_over(job, together)
            self._wait(job)
        except BaseException:
            # A signal's exception (a worker told to stop), or no thread to be had: it does not begin any more.
            self._step_out(job)
            raise
        return job.result()

    def is_quiet(self) -> bool:
        """Whether they have been writing one at a time of late, and nobody waits now."""
        return self._crowd < _FEW and not self._waiting

    def _hand_over(self, job: Job[T], together: Together) -> None:
        with self._mutex:
            self._waiting.append(job)
            if self._is_idle:
                self._is_idle = False
                self._is_called.release()
            elif self._writer is None:
                writer = threading.Thread(target=self._write_on, args=(together,), name="writer", daemon=True)
                writer.start()
                self._writer = writer

    def _wait(self, job: Job[T]) -> None:
        if job.done.acquire(timeout=max(0.0, job.deadline - time.monotonic())):
            return
        if self._step_out(job):
            raise StoreUnavailable("the database is busy: no turn to write within the time limit")
        if not job.done.acquire(timeout=-1 if job.last is None else max(0.0, job.last - time.monotonic())):
            raise StoreUnavailable("the database hangs: whether this was written is not known")

    def _step_out(self, job: Job[T]) -> bool:
        """False when it is too late for that."""
        with self._mutex:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    def _write_on(self, together: Together) -> None:
        while self._has_work():
            self._write(together)

    def _has_work(self) -> bool:
        """Waits for some; False when none came."""
        with self._mutex:
            if self._waiting:
                return True
            self._is_idle = True
        if self._is_called.acquire(timeout=_IDLE_SECONDS):
            return True
        with self._mutex:
            if self._is_idle:
                self._is_idle, self._writer = False, None
                return False
        self._is_called.acquire()  # called in the very moment of giving up
        return True

    def _write(self, together: Together) -> None:
        """What waits, in one transaction."""
        with self._mutex:
            waiting = list(self._waiting)
        if not waiting:
            return  # they have stepped out
        round_ = Round(waiting, self._take)
        try:
            together(round_)
        except BaseException as error:  # noqa: BLE001 - raised by those who wait
            round_.fail(error, is_late=time.monotonic() >= round_.deadline)
        round_.tell()

    def _take(self) -> Jobs:
        with self._mutex:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._crowd += (len(waiting) - self._crowd) / 10
        return waiting


def _failure(error: BaseException) -> BaseException:
    """One for each thread: an exception that several raise gets all their tracebacks."""
    if isinstance(error, AdapterError):
        return type(error)(error.message)
    return StoreUnavailable(f"the transaction was given up: {type(error).__name__}")
