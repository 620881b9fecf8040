"""Connections go to the worker that holds fewest: each tells the others its number, in memory that all of them see.

All workers accept from one socket, and whichever wakes first takes what it can: a proxy that opens its connections at
once and keeps them would leave most to one worker, and so to one processor. A socket for each worker (`reuse_port`)
shares them out no better, and at a reload it loses those that wait.

The same numbers tell who is there at all. At a reload gunicorn ends the old workers as soon as the new ones have been
forked, and those take half a second to load: callers would wait for nobody. So a worker that is told to end goes on for
as long as another one is loading.
"""

from __future__ import annotations

import mmap
import signal
import time
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

# Whoever has no place takes connections as they come.
_MOST_WORKERS = 64
_BYTES = 4
# In place of a number, by who has been forked and does not take connections yet.
_LOADING = 2**32 - 1
# Whatever keeps it from it: so long is waited for who loads, before a worker that is told to end does.
_LOADS_AT_MOST_SECONDS = 10.0
# The others may stand still, or be gone without anybody's having noticed: then it is taken after all.
_LEFT_TO_OTHERS_SECONDS = 0.01


class Shares:
    """One place for each worker. Made by the master before it forks; each worker writes its own place alone."""

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _MOST_WORKERS * _BYTES)).cast("I")
        self._taken: dict[int, Any] = {}

    def give(self, worker: Any) -> int | None:
        """In the master, before the fork: the worker's place. None: there are more workers than places."""
        for place in range(_MOST_WORKERS):
            if place not in self._taken:
                self._taken[place] = worker
                self._numbers[place] = _LOADING
                return place
        return None

    def take_back(self, worker: Any) -> None:
        """In the master, when the worker has ended, however it did."""
        for place in [place for place, owner in self._taken.items() if owner is worker]:
            del self._taken[place]
            self._numbers[place] = 0

    def tell(self, place: int, connections: int | None) -> None:
        """None: this worker takes no more."""
        self._numbers[place] = 0 if connections is None else connections + 1

    def is_fuller(self, place: int, connections: int) -> bool:
        """Whether another worker that takes connections has fewer than this one."""
        return any(0 < number <= connections for other, number in enumerate(self._numbers) if other != place)

    def is_another_loading(self, place: int) -> bool:
        """Whether another worker has been forked that will take connections and does not yet."""
        return any(number == _LOADING for other, number in enumerate(self._numbers) if other != place)


_shares: list[Shares] = []


def give_place(worker: Any) -> None:
    """In the master, before it forks this worker."""
    if not _shares:
        _shares.append(Shares())
    worker.place = _shares[0].give(worker)


def take_place_back(worker: Any) -> None:
    """In the master, when this worker has ended."""
    for shares in _shares:
        shares.take_back(worker)


def leave_place(_: Any, worker: Any) -> None:
    """gunicorn's `worker_exit`, in the worker: nobody waits for one that has failed to load."""
    worker.leave()


class SharingWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker, which leaves connections to those that hold fewer. `place`: its own among the shares."""

    place: int | None = None
    _connections = 0
    _left_since: float | None = None
    _told_to_end_at: float | None = None

    @property
    def nr_conns(self) -> int:
        """How many connections it holds; gunicorn counts them here."""
        return self._connections

    @nr_conns.setter
    def nr_conns(self, number: int) -> None:
        self._connections = number
        self._tell()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called by gunicorn: at the start, when there are too many connections, and at the end."""
        super().set_accept_enabled(enabled)
        self._tell()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: finish what is being answered, then end; not before others are there to go on."""
        if self._told_to_end_at is None:
            self._told_to_end_at = time.monotonic()
        self._end_if_others_go_on(self._told_to_end_at)

    def notify(self) -> None:
        """Called by gunicorn in every round of its loop, at least once a second."""
        super().notify()
        if self._told_to_end_at is not None:
            self._end_if_others_go_on(self._told_to_end_at)

    def _end_if_others_go_on(self, told_at: float) -> None:
        is_waited_for = self.place is not None and _shares[0].is_another_loading(self.place)
        if not is_waited_for or time.monotonic() - told_at > _LOADS_AT_MOST_SECONDS:
            super().handle_exit(signal.SIGTERM, None)

    def leave(self) -> None:
        """This worker takes no connections, now or later."""
        if self.place is not None:
            _shares[0].tell(self.place, None)

    def accept(self, listener: Any) -> None:
        """Called by gunicorn when somebody connects: in every worker that waits, until one has taken it."""
        if not self._leaves_it_to_others():
            super().accept(listener)

    def _leaves_it_to_others(self) -> bool:
        if self.place is None or not _shares[0].is_fuller(self.place, self._connections):
            self._left_since = None
            return False
        now = time.monotonic()
        if self._left_since is None:
            self._left_since = now
        if now - self._left_since < _LEFT_TO_OTHERS_SECONDS:
            return True
        self._left_since = None
        return False

    def _tell(self) -> None:
        if self.place is not None:
            _shares[0].tell(self.place, self._connections if self._accepting else None)
