"""Who is served when there is more to do than can be done: callers first, clients of the API are told to come back.

A caller cannot be told to come back. So the API is refused (503, Retry-After) when requests keep queueing up for a
thread, and before it takes the last threads of a worker while the others stand still. That costs next to nothing: no
key is looked up, nothing is read. Leaves out: what callers hear when there is no time for them (`in_time`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from adapter.clock import Ids
from adapter.metrics import Metrics

from . import arrival
from .problems import TOO_BUSY, refuse

# One in so many threads, at least one, is for callers alone once no request was done for so long.
_RESERVED_OF = 4
_STANDSTILL_SECONDS = 0.5
# Everybody has waited so long for a thread, and that for so long: this is no burst. From then on the API is given what
# is left over, which is when nearly nobody waits, until nobody has waited for as long.
_QUEUE_SECONDS = 0.25
_SHORT_QUEUE_SECONDS = 0.02
_STANDING_SECONDS = 1.0
_TELL_EVERY_SECONDS = 10.0
_API = "/v1/"
_NEVER_REFUSED = frozenset({"/v1/health"})
_LOG = logging.getLogger(__name__)

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]


class Shedding:
    """Around the app of one worker."""

    def __init__(self, app: Wsgi, threads: int, ids: Ids, metrics: Metrics | None = None) -> None:
        """`threads`: how many of them answer requests."""
        self._app = app
        self._for_all = max(1, threads - max(1, threads // _RESERVED_OF))
        self._ids = ids
        self._metrics = metrics
        self._mutex = threading.Lock()
        self._busy = 0
        self._moved_at = self._told_at = time.monotonic()
        self._queue = _Queue()

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer, or refuse."""
        with self._mutex:
            has_room = self._queue.has_room(arrival.waited(), time.monotonic()) and not self._stands_still()
        path = environ["PATH_INFO"]
        if not has_room and path.startswith(_API) and path not in _NEVER_REFUSED:
            return self._refusal(environ, start_response)
        self._begin()
        try:
            return self._app(environ, start_response)
        finally:
            self._end()

    def _stands_still(self) -> bool:
        return self._busy >= self._for_all and time.monotonic() - self._moved_at > _STANDSTILL_SECONDS

    def _begin(self) -> None:
        with self._mutex:
            self._busy += 1
            if self._busy == self._for_all:
                self._moved_at = time.monotonic()

    def _end(self) -> None:
        with self._mutex:
            self._busy -= 1
            self._moved_at = time.monotonic()

    def _refusal(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if self._metrics is not None:
            self._metrics.shed()
        self._tell()
        response = refuse(TOO_BUSY)
        response.headers["X-Request-Id"] = self._ids.request_id()
        return response(environ, start_response)

    def _tell(self) -> None:
        """Not each time: there may be thousands."""
        now = time.monotonic()
        if now - self._told_at > _TELL_EVERY_SECONDS:
            self._told_at = now
            _LOG.warning("overloaded: requests to the API are refused, callers are served")


class _Queue:
    """Of requests that wait for a thread: whether it passes by itself, or stands."""

    def __init__(self) -> None:
        self._stands = False
        # Since when everybody has waited for long; when somebody last did; when somebody was last begun with.
        self._long_since = self._long_at = self._begun_at = 0.0

    def has_room(self, waited: float, now: float) -> bool:
        """For one that has `waited`, and is begun with `now`, whoever it is."""
        is_short = waited <= (_SHORT_QUEUE_SECONDS if self._stands else _QUEUE_SECONDS)
        if is_short:
            self._long_since = now
            self._stands = self._stands and now - self._long_at < _STANDING_SECONDS
        else:
            if now - waited > self._begun_at:  # it has found no queue: what comes at once with it is a burst
                self._long_since = now - waited
            self._long_at = now
            self._stands = self._stands or now - self._long_since > _STANDING_SECONDS
        self._begun_at = now
        return is_short or not self._stands
