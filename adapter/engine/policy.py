"""Every number and list that a decision depends on, as one value.

The defaults are the reference's and semantics.md's. `version` names the value, so that a kept explanation says which
policy it was decided under. Leaves out: reading configuration (`adapter.config`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """Semantics §5. Weights are points of confidence (0..1)."""

    ani_mobile: float = 0.50
    ani_landline: float = 0.30
    ani_voip: float = 0.20
    ani_unknown: float = 0.30
    external_id: float = 0.40
    customer_ref: float = 0.90
    recency_day: float = 0.10
    recency_week: float = 0.05
    cap_presented: float = 0.90
    # Evidence in doubt (rejected before; distrusted by a strict line) gets the caller asked, not greeted by name.
    cap_doubted: float = 0.45
    reuse_from: float = 0.50
    confirm_from: float = 0.30
    level_very_high: float = 0.90
    level_high: float = 0.70
    level_medium: float = 0.50
    shared_external_id_after_numbers: int = 5
    # Keys that name a call or a shared thing, never a person.
    never_identifying_keys: tuple[str, ...] = (
        "twilio_call_sid",
        "call_sid",
        "call_id",
        "session_id",
        "contact_id",
        "interaction_id",
        "conversation_id",
        "campaign_id",
        "skill_id",
        "agent_id",
        "queue_id",
    )


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """Semantics §6, §7."""

    unique_days: int = 30
    wrap_up_hours: int = 24


@dataclass(frozen=True, slots=True)
class VariablePolicy:
    """Semantics §7; reference, request body parameters."""

    default_ttl_seconds: int = 2_592_000
    max_ttl_seconds: int = 31_536_000


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """Semantics §3: rolling window and grace; the reference's tiers."""

    window_seconds: int = 60
    grace_percent: int = 10


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long things stay on disk. Idempotency: reference ("expire after 24 hours")."""

    idempotency_hours: int = 24
    calls_days: int = 90


DEFAULT_TIERS: dict[str, tuple[int | None, int | None]] = {
    # name: (requests per minute, monthly quota). Rate: reference's table. Quota: semantics §4.
    "free": (100, 1_000),
    "starter": (600, 10_000),
    "growth": (3_000, 100_000),
    "scale": (10_000, 1_000_000),
    "unlimited": (None, None),
}


@dataclass(frozen=True)
class Policy:
    """All rules' numbers. Frozen, hashable by `version`."""

    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    calls: CallPolicy = field(default_factory=CallPolicy)
    variables: VariablePolicy = field(default_factory=VariablePolicy)
    limits: LimitPolicy = field(default_factory=LimitPolicy)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)

    @cached_property
    def version(self) -> str:
        """A short name for exactly these numbers (8 hex digits)."""
        return hashlib.sha256(repr((self.identity, self.calls, self.variables)).encode()).hexdigest()[:8]
