"""The housekeeping thread of a worker: what could not be saved in time is applied, expired rows are swept (semantics
§7, §9).

Every worker runs one; what they do is short, idempotent and takes its turn at the write lock like any request.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from adapter.errors import AdapterError, StoreDamaged
from adapter.usecases import Service, apply_waiting, prepare_late, sweep

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 15.0
# What waits for the database is tried again so often: the next call of the same caller should know of it.
_TRY_AGAIN_SECONDS = 1.0


def start_upkeep(service: Service, every_seconds: float = _EVERY_SECONDS) -> threading.Event:
    """Start the thread; set the event that is returned to stop it."""
    stop = threading.Event()
    threading.Thread(target=_Upkeep(service, every_seconds).run, args=(stop,), name="upkeep", daemon=True).start()
    return stop


def keep_up(service: Service) -> None:
    """One whole round. A store that is away is tried again the next time."""
    for task in (prepare_late, apply_waiting, sweep):
        _do(task, service)


class _Upkeep:
    """`_left`: how many events the last round left in the inbox, although the store was there: a limit refuses them."""

    def __init__(self, service: Service, every_seconds: float) -> None:
        self._service = service
        self._every = every_seconds
        self._left = 0

    def run(self, stop: threading.Event) -> None:
        if self._service.inbox is not None:
            self._service.inbox.reserve()
        whole_at = self._later()
        while not stop.wait(min(_TRY_AGAIN_SECONDS, self._every) * _spread()):
            if time.monotonic() >= whole_at:
                keep_up(self._service)
                whole_at = self._later()
            elif self._depth(self._left + 1) > self._left:
                self._left = self._depth() if _do(apply_waiting, self._service, logging.DEBUG) else 0

    def _later(self) -> float:
        return time.monotonic() + self._every * _spread()

    def _depth(self, most: int | None = None) -> int:
        """`most`: while the store is away, to look at a hundred thousand each second would take a quarter of it."""
        return 0 if self._service.inbox is None else self._service.inbox.depth(most)


def _spread() -> float:
    """Workers start together: without it they would all queue for the write lock at once, for ever."""
    return random.uniform(0.5, 1.5)  # nosec B311  # noqa: S311 - no secret


def _do(task: Callable[[Service], object], service: Service, level: int = logging.WARNING) -> bool:
    """False: it could not be done. `level`: at which a store that is away is told."""
    try:
        task(service)
    except StoreDamaged as error:
        # Perhaps where no call looks any more: nothing else would tell of it.
        _LOG.error("the database is damaged, restore a backup (`sticky-calls db restore`): %s", error)
    except AdapterError as error:
        _LOG.log(level, "upkeep postponed: %s", error.code)
    except Exception as error:  # noqa: BLE001 - a dead upkeep thread would let expired data lie for ever, unnoticed
        _LOG.error("upkeep failed: %s", type(error).__name__, exc_info=error)
    else:
        return True
    return False
