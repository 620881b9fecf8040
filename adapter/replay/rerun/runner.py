"""Plays webhooks in their order: one after the other, or several calls at once, each of them in its own order."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from queue import Queue
from typing import Final
from zlib import crc32

from adapter.replay.recording import Recorded

from .pace import Pace
from .targets import Rerun, Target

# For each worker: enough that none is idle, too few to hold a long file.
_MOST_WAITING: Final = 64
_MOST_CUSTOMERS: Final = 10_000
_UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def play(
    webhooks: Iterable[Recorded], targets: Sequence[Target], done: Callable[[Rerun], None], pace: Pace | None = None
) -> None:
    """Every webhook to one of the targets, the same for all of a call, and what came of it to `done`, one at a time.

    One target: in this thread, `done` before the next webhook is taken. Several: a thread for each. An exception of
    `done` or a target ends it and comes through.
    """
    pace = pace or Pace()
    if len(targets) == 1:
        for recorded in webhooks:
            pace.wait(recorded.at)
            done(targets[0].send(recorded))
        return
    _Workers(targets, done).play(webhooks, pace)


class _Workers:
    def __init__(self, targets: Sequence[Target], done: Callable[[Rerun], None]) -> None:
        self._queues: list[Queue[Recorded | None]] = [Queue(_MOST_WAITING) for _ in targets]
        self._threads = [
            threading.Thread(target=self._run, args=pair, daemon=True)
            for pair in zip(targets, self._queues, strict=True)
        ]
        self._done = done
        self._calls_of: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def play(self, webhooks: Iterable[Recorded], pace: Pace) -> None:
        for thread in self._threads:
            thread.start()
        try:
            for recorded in webhooks:
                if self._failure is not None:
                    break
                pace.wait(recorded.at)
                self._queues[crc32(self._lane(recorded).encode()) % len(self._queues)].put(recorded)
        except BaseException as error:  # noqa: BLE001 - raised again below, once all threads have ended
            self._failure = self._failure or error
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _lane(self, recorded: Recorded) -> str:
        """What must stay in its order. A customer who is erased was told of in a call: not before it is over."""
        if recorded.call:
            for ref in _UUID.findall(recorded.answer.body) if recorded.is_api and recorded.answer else ():
                self._calls_of[ref] = recorded.call
                if len(self._calls_of) > _MOST_CUSTOMERS:
                    self._calls_of.popitem(last=False)
            return recorded.call
        return next((self._calls_of[ref] for ref in _UUID.findall(recorded.path) if ref in self._calls_of), "")

    def _run(self, target: Target, queue: Queue[Recorded | None]) -> None:
        """After a failure the queue is still emptied, or the others would wait for room in it."""
        while (recorded := queue.get()) is not None:
            if self._failure is not None:
                continue
            try:
                rerun = target.send(recorded)
                with self._lock:
                    self._done(rerun)
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
                self._failure = error
