"""While a database is away, one thread at a time tries to reach it; the others are told so at once.

A machine that is switched off, or a network that swallows everything, is only known by waiting. If everybody waited,
every thread of the service would be held up, and callers who need nothing but a greeting would queue up behind them.
Nobody waits before trying: as soon as the database is back, the next try finds it. Leaves out: connecting (`postgres`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from adapter.errors import StoreUnavailable


class Outage:
    """What one process knows of one database. Shared by all threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_away = False
        self._is_tried = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around connecting. StoreUnavailable at once when the last attempt failed and another one is on its way."""
        with self._mutex:
            if self._is_away and self._is_tried:
                raise StoreUnavailable("the database cannot be reached: it is away, and is being tried already")
            tries_alone, self._is_tried = not self._is_tried, True
        try:
            yield
        except BaseException:
            self._ended(tries_alone, is_away=True)
            raise
        self._ended(tries_alone, is_away=False)

    def _ended(self, tried_alone: bool, *, is_away: bool) -> None:
        with self._mutex:
            self._is_away = is_away
            if tried_alone:
                self._is_tried = False
