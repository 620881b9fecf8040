"""While a database is away, one thread at a time tries to reach it; the others are told so at once.

A machine that is switched off, a network that swallows everything, a lock that nobody lets go of are only known by
waiting. If everybody waited, every thread of the service would be held up, and callers who need nothing but a greeting
would queue up behind them. Nobody waits before trying: as soon as the database is back, the next try finds it.

A database that is damaged is not away: everybody tries, as what they need may lie elsewhere, and finds out at once.
Leaves out: what is tried (`postgres` connects, use cases write).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapter.errors import StoreDamaged, StoreMismatch, StoreUnavailable


class Outage:
    """What one process knows of one database. Shared by all threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_away = False
        self._is_tried = False
        self._worked_at: float | None = None
        self._damaged_at: float | None = None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around what needs the database; raising StoreUnavailable, it says that it is away.

        StoreUnavailable at once when the last attempt failed and another one is on its way.
        """
        with self._mutex:
            if self._is_away and self._is_tried:
                raise StoreUnavailable("the database cannot be reached: it is away, and is being tried already")
            tries_alone, self._is_tried = not self._is_tried, True
        try:
            yield
        except (StoreDamaged, StoreMismatch):
            self.note_damage()
            self._ended(tries_alone, is_away=self._is_away)
            raise
        except StoreUnavailable:
            self._ended(tries_alone, is_away=True)
            raise
        except BaseException:
            self._ended(tries_alone, is_away=self._is_away)
            raise
        self._worked_at, self._damaged_at = time.monotonic(), None
        self._ended(tries_alone, is_away=False)

    def worked_within(self, seconds: float) -> bool:
        """Whether an attempt was successful so short a time ago, and none has failed since."""
        worked_at = None if self._is_away else self._worked_at
        return worked_at is not None and time.monotonic() - worked_at < seconds

    def note_damage(self) -> None:
        """Somebody who did not attempt it here has met with it."""
        self._damaged_at = time.monotonic()

    def damaged_within(self, seconds: float) -> bool:
        """Whether something could not be read so short a time ago, and no attempt was successful since."""
        damaged_at = self._damaged_at
        return damaged_at is not None and time.monotonic() - damaged_at < seconds

    def _ended(self, tried_alone: bool, *, is_away: bool) -> None:
        with self._mutex:
            self._is_away = is_away
            if tried_alone:
                self._is_tried = False
