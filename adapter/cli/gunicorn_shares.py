"""How many connections each worker holds, in memory that all of them see, so that the one with fewest takes the next.

All workers accept from one socket, and whichever wakes first takes what it can: a proxy that opens its connections at
once and keeps them would leave most to one worker, and so to one processor. A socket for each worker (`reuse_port`)
shares them out no better, and at a reload it loses those that wait. Leaves out: accepting (`gunicorn_worker`).
"""

from __future__ import annotations

import mmap
from typing import Any

# Whoever has no place takes connections as they come.
_MOST_WORKERS = 64
_BYTES = 4


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
