"""The rolling rate limit with grace, exact at any fill (semantics §3; reference, Rate Limits).

Times inside the window are *steady* milliseconds (see `adapter.clock`): nobody gains or loses a slot by a clock that
is set. Leaves out: counting (`store.meters`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .model import Millis, Rate, RateExceeded, Tier
from .policy import SECOND, LimitPolicy


@dataclass(frozen=True, slots=True)
class Window:
    """Admitted requests in the window now. `oldest_at`: of the first of them. `blocking_at`: when full, of the one that
    must leave before another fits. Steady milliseconds."""

    usage: int
    oldest_at: Millis | None = None
    blocking_at: Millis | None = None


def hard_limit(tier: Tier, policy: LimitPolicy) -> int | None:
    """The base limit plus its grace (Free: 110); None when unlimited."""
    if tier.per_minute is None:
        return None
    return tier.per_minute + tier.per_minute * policy.grace_percent // 100


def admit(
    tier: Tier, window: Window, policy: LimitPolicy, steady: Millis, wall: Millis
) -> tuple[Rate, RateExceeded | None]:
    """One more request at `steady`. Returns what the headers show, and the refusal when there is one."""
    hard = hard_limit(tier, policy)
    if tier.per_minute is None or hard is None:
        return Rate(None, 0, wall), None
    span = policy.window_seconds * SECOND
    if window.usage >= hard:
        blocking = window.blocking_at if window.blocking_at is not None else steady
        wait = max(0, blocking + span - steady)
        rate = Rate(tier.per_minute, window.usage, wall + wait)
        seconds = max(1, math.ceil(wait / SECOND))
        return rate, RateExceeded(tier.per_minute, window.usage + 1, seconds, wall + wait)
    oldest = window.oldest_at if window.oldest_at is not None else steady
    usage = window.usage + 1
    return Rate(tier.per_minute, usage, wall + oldest + span - steady, in_grace=usage > tier.per_minute), None
