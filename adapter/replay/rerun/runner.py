"""Plays webhooks in their order: one after the other, or several calls at once, each of them in its own order."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class Round:
    """Webhooks to one of the targets, the same for all of a call. Every round has as many targets."""

    webhooks: Iterable[Recorded]
    targets: Sequence[Target]
    pace: Pace = field(default_factory=Pace)


def play(
    webhooks: Iterable[Recorded], targets: Sequence[Target], done: Callable[[Rerun], None], pace: Pace | None = None
) -> None:
    """Every webhook, and what came of it to `done`, one at a time.

    One target: in this thread, `done` before the next webhook is taken. Several: a thread for each. An exception of
    `done` or a target ends it and comes through.
    """
    play_rounds([Round(webhooks, targets, pace or Pace())], len(targets), done)


def play_rounds(rounds: Iterable[Round], width: int, done: Callable[[Rerun], None]) -> None:
    """As `play`, one round after the other; with several targets (`width`) the next one begins while the last calls of
    the one before still go on, so that few calls, played often, keep all targets at work."""
    if width > 1:
        _Workers(width, done).play(rounds)
        return
    for number, each in enumerate(rounds):
        for recorded in each.webhooks:
            each.pace.wait(recorded.at)
            done(replace(each.targets[0].send(recorded), round=number))


@dataclass(frozen=True, slots=True)
class _Waiting:
    recorded: Recorded
    target: Target
    round: int


class _Workers:
    def __init__(self, width: int, done: Callable[[Rerun], None]) -> None:
        self._queues: list[Queue[_Waiting | None]] = [Queue(_MOST_WAITING) for _ in range(width)]
        self._threads = [threading.Thread(target=self._run, args=(queue,), daemon=True) for queue in self._queues]
        self._done = done
        self._calls_of: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def play(self, rounds: Iterable[Round]) -> None:
        for thread in self._threads:
            thread.start()
        try:
            for number, each in enumerate(rounds):
                self._deal(number, each)
        except BaseException as error:  # noqa: BLE001 - raised again below, once all threads have ended
            self._failure = self._failure or error
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _deal(self, number: int, each: Round) -> None:
        for recorded in each.webhooks:
            if self._failure is not None:
                return
            each.pace.wait(recorded.at)
            place = crc32(f"{number} {self._lane(recorded)}".encode()) % len(self._queues)
            self._queues[place].put(_Waiting(recorded, each.targets[place], number))

    def _lane(self, recorded: Recorded) -> str:
        """What must stay in its order. A customer who is erased was told of in a call: not before it is over."""
        if recorded.call:
            for ref in _UUID.findall(recorded.answer.body) if recorded.is_api and recorded.answer else ():
                self._calls_of[ref] = recorded.call
                if len(self._calls_of) > _MOST_CUSTOMERS:
                    self._calls_of.popitem(last=False)
            return recorded.call
        return next((self._calls_of[ref] for ref in _UUID.findall(recorded.path) if ref in self._calls_of), "")

    def _run(self, queue: Queue[_Waiting | None]) -> None:
        """After a failure the queue is still emptied, or the others would wait for room in it."""
        while (waiting := queue.get()) is not None:
            if self._failure is not None:
                continue
            try:
                rerun = replace(waiting.target.send(waiting.recorded), round=waiting.round)
                with self._lock:
                    self._done(rerun)
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
                self._failure = error
