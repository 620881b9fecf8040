"""The housekeeping thread of a worker: kept hang-ups are applied, expired rows are swept (semantics §7, §9).

Every worker runs one; what they do is short, idempotent and takes its turn at the write lock like any request.
"""

from __future__ import annotations

import logging
import random
import threading

from adapter.errors import AdapterError
from adapter.usecases import Service, apply_waiting, prepare_late, sweep

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 15.0


def start_upkeep(service: Service, every_seconds: float = _EVERY_SECONDS) -> threading.Event:
    """Start the thread; set the event that is returned to stop it."""
    stop = threading.Event()

    def run() -> None:
        # Workers start together: without the spread they would all queue for the write lock at once, for ever.
        while not stop.wait(every_seconds * random.uniform(0.5, 1.5)):  # noqa: S311 - no secret
            keep_up(service)

    threading.Thread(target=run, name="upkeep", daemon=True).start()
    return stop


def keep_up(service: Service) -> None:
    """One round. A store that is away is tried again the next time."""
    for task in (prepare_late, apply_waiting, sweep):
        try:
            task(service)
        except AdapterError as error:
            _LOG.warning("upkeep postponed: %s", error.code)
        except Exception as error:  # noqa: BLE001 - a dead upkeep thread would let expired data lie for ever, unnoticed
            _LOG.error("upkeep failed: %s", type(error).__name__, exc_info=error)
