"""The warning of the grace period: requests succeed, and the log says so (reference, Grace Period Behavior)."""

from __future__ import annotations

import logging
import threading

from adapter.engine.model import Millis, Rate
from adapter.engine.policy import MINUTE

_LOG = logging.getLogger(__name__)


class GraceWarning:
    """Warns once for each organization and minute, at one edge of one worker.

    Semantics §3 wants one of all workers. A debt: W workers write up to 2 W lines a minute; for fewer they would have
    to ask one another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: dict[str, int] = {}

    def warn(self, organization: str, rate: Rate | None, now: Millis) -> None:
        """Log it when `rate` is in grace and this minute has not been warned of yet."""
        if rate is not None and rate.in_grace and self._is_due(organization, now // MINUTE):
            usage = {"organization": organization, "usage": rate.usage, "limit": rate.limit}
            _LOG.warning("over the rate limit, within its grace", extra=usage)

    def _is_due(self, organization: str, minute: int) -> bool:
        with self._lock:
            if self._minutes.get(organization) == minute:
                return False
            self._minutes[organization] = minute
            return True
