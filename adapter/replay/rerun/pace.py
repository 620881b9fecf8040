"""When the next webhook is due: after the gap it had in the recording, or at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from adapter.engine.model import Millis


@dataclass(slots=True)
class Pace:
    """`speed` 1: as it was; 10: ten times faster; None: without waiting. Counted from the first webhook, so that slow
    answers do not add up."""

    speed: float | None = None
    sleep: Callable[[float], None] = time.sleep
    steady: Callable[[], float] = time.monotonic
    _began: tuple[Millis, float] | None = None

    def wait(self, at: Millis | None) -> None:
        """Until the webhook of this time is due."""
        if self.speed is None or at is None:
            return
        if self._began is None:
            self._began = at, self.steady()
        first, began = self._began
        left = (at - first) / 1_000 / self.speed - (self.steady() - began)
        if left > 0:
            self.sleep(left)
