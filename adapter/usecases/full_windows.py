"""Rate windows that are known to be full, so that a client who hammers is refused without the store.

Exact, since nothing can be admitted before the request that blocks has left the window, whoever asks. It keeps one
organization's flood from taking turns at the database away from the others. Each process knows what it was told itself.
Leaves out: counting (`admission`), the rule (`engine.limits`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from adapter.engine.model import Millis, Rate, RateExceeded
from adapter.engine.policy import SECOND

Refusal = tuple[Rate, RateExceeded]
# An organization's account and number.
Whose = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FullWindows:
    """By organization: until when (steady) its window is full, and how it was refused."""

    _full: dict[Whose, tuple[Millis, Refusal]] = field(default_factory=dict)

    def note(self, whose: Whose, asked_at: Millis, now: Millis, refusal: Refusal) -> None:
        """It was refused. `asked_at`: steady, read before the store was asked; `now`: the wall time it was refused at.

        What the store says of its own clock counts as a span: the clocks of two machines are never compared.
        """
        self._full[whose] = (asked_at + refusal[1].reset_at - now, refusal)

    def refusal(self, whose: Whose, steady: Millis, now: Millis, span_ms: Millis) -> Refusal | None:
        """Its refusal now; None when only the store knows. `span_ms`: of a window."""
        until, refusal = self._full.get(whose, (steady, None))
        left = until - steady
        # Longer than a window: the steady clock was put right meanwhile (a start without the database).
        if refusal is None or not 0 < left <= span_ms:
            return None
        rate, exceeded = refusal
        seconds = math.ceil(left / SECOND)
        return (
            replace(rate, reset_at=now + left),
            replace(exceeded, retry_after_seconds=seconds, reset_at=now + left),
        )
