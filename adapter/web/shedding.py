"""Who is served when there is more to do than can be done: callers first, clients of the API are told to come back.

A caller cannot be told to come back. So the API is refused (503, Retry-After) when requests keep queueing up for a
thread, and before it takes the last threads of a worker while the others stand still. That costs next to nothing: no
key is looked up, nothing is read. When all stand still, the store hangs: the server has some threads more than answer
requests, in which callers hear something without it, and who asks for the service's health is told of it. Leaves out:
what callers hear when there is no time for them (`webhooks.in_time`).
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from adapter.clock import Ids
from adapter.metrics import Metrics
from adapter.web.rest.problems import TOO_BUSY, refuse

from . import arrival

# One in so many threads, at least one, is for callers alone once no request was done for so long.
_RESERVED_OF = 4
_STANDSTILL_SECONDS = 0.5
# The server's threads beside those that answer requests; for them all are at a standstill after so long.
SPARE_THREADS = 4
_ALL_STAND_STILL_SECONDS = 0.25
# Everybody has waited so long for a thread, and that for so long: this is no burst. From then on the API is given what
# is left over, which is when nearly nobody waits, until nobody has waited for as long.
_QUEUE_SECONDS = 0.25
_SHORT_QUEUE_SECONDS = 0.02
_STANDING_SECONDS = 1.0
_TELL_EVERY_SECONDS = 10.0
_API = "/v1/"
# They wait for nobody.
_HEALTH = frozenset({"/v1/health", "/readyz", "/healthz"})
_LOG = logging.getLogger(__name__)

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]


class Shedding:
    """Around the app of one worker."""

    def __init__(self, app: Wsgi, threads: int, ids: Ids, metrics: Metrics | None = None) -> None:
        """`threads`: how many of them answer requests, the spare ones left out."""
        self._app = app
        self._threads = threads
        self._for_all = max(1, threads - max(1, threads // _RESERVED_OF))
        self._ids = ids
        self._metrics = metrics
        self._mutex = threading.Lock()
        self._freed = threading.Condition(self._mutex)
        self._busy = 0
        self._moved_at = self._told_at = time.monotonic()
        self._queue = _Queue()

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer, or refuse."""
        path = environ["PATH_INFO"]
        if path in _HEALTH:
            return self._app(environ, start_response)
        with self._mutex:
            has_room = self._queue.has_room(arrival.waited(), time.monotonic()) and not self._stands_still()
        is_api = path.startswith(_API)
        if is_api and not has_room:
            return self._refusal(environ, start_response)
        if self._begin():
            try:
                return self._app(environ, start_response)
            finally:
                self._end()
        if is_api:
            return self._refusal(environ, start_response)
        arrival.note_wait(math.inf)
        try:
            return self._app(environ, start_response)
        finally:
            arrival.note_wait(0.0)  # not every server notes anew what the next request of this thread has waited

    def _stands_still(self) -> bool:
        return self._busy >= self._for_all and time.monotonic() - self._moved_at > _STANDSTILL_SECONDS

    def _begin(self) -> bool:
        """False: there is no thread for it, this one is spare."""
        with self._mutex:
            while self._busy >= self._threads:
                patience = self._moved_at + _ALL_STAND_STILL_SECONDS - time.monotonic()
                if patience <= 0:
                    return False
                self._freed.wait(patience)
            self._busy += 1
            if self._busy == self._for_all:
                self._moved_at = time.monotonic()
            return True

    def _end(self) -> None:
        with self._mutex:
            self._busy -= 1
            self._moved_at = time.monotonic()
            self._freed.notify()

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
