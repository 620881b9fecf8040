"""How sure we are: weights of agreeing evidence → confidence, level, sources, recommendation (semantics §5).

Leaves out: which evidence agrees (`identity`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .model import Distrust, Evidence, Identity, Level, LineType, Millis, Recommendation
from .policy import DAY, IdentityPolicy

# More than what adding up a few weights can be off by, and far less than any weight.
_FLOAT_DUST = 1e-9
NOBODY = Identity(0, Level.LOW, (), Recommendation.IGNORE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The evidence that points to the candidate. `ani` None: the number is not; `sharers`: customers on the number."""

    customer_ref: bool = False
    ani: LineType | None = None
    sharers: int = 1
    external_id: bool = False
    last_contact: Millis | None = None
    doubted: bool = False
    distrust: Distrust | None = None


def score(agreement: Agreement, policy: IdentityPolicy, now: Millis) -> tuple[Identity, tuple[Evidence, ...]]:
    """Confidence 0..1 in two decimals, and the lines that explain how it came about."""
    lines = _weights(agreement, policy)
    recency = _recency(agreement.last_contact, policy, now) if lines else None
    lines += [recency] if recency else []
    total = sum(line.weight for line in lines)
    cap, rule = _cap(agreement, policy)
    if total > cap:
        lines.append(Evidence("cap", "confidence", rule, counted=True, weight=cap))
    return _identity(_two_decimals(min(cap, total)), agreement, lines, policy), tuple(lines)


def verified(sources: tuple[str, ...]) -> Identity:
    """A caller who proved in this call who they are (semantics §8): as sure as it gets, whatever was presented."""
    return Identity(1.0, Level.VERY_HIGH, sources, Recommendation.REUSE)


def recommend(confidence: float, policy: IdentityPolicy) -> Recommendation:
    """Reference, Confidence Recommendations: reuse from 0.5, confirm from 0.3, else ignore."""
    if confidence >= policy.reuse_from:
        return Recommendation.REUSE
    return Recommendation.CONFIRM if confidence >= policy.confirm_from else Recommendation.IGNORE


def level(confidence: float, policy: IdentityPolicy) -> Level:
    """Semantics §5: from 0.9 very_high, from 0.7 high, from 0.5 medium, else low."""
    if confidence >= policy.level_very_high:
        return Level.VERY_HIGH
    if confidence >= policy.level_high:
        return Level.HIGH
    return Level.MEDIUM if confidence >= policy.level_medium else Level.LOW


def line_weight(line_type: LineType, policy: IdentityPolicy) -> float:
    """A landline is a shared device by nature, a voip number changes hands: both say less than a mobile."""
    return {
        LineType.MOBILE: policy.ani_mobile,
        LineType.LANDLINE: policy.ani_landline,
        LineType.VOIP: policy.ani_voip,
        LineType.UNKNOWN: policy.ani_unknown,
    }[line_type]


def _two_decimals(total: float) -> float:
    """Halves up, as on paper: `round` takes 0.175 for the fraction next to it, and gives 0.17."""
    return math.floor(total * 100 + 0.5 + _FLOAT_DUST) / 100


def _weights(agreement: Agreement, policy: IdentityPolicy) -> list[Evidence]:
    lines = []
    if agreement.customer_ref:
        lines.append(Evidence("customer_ref", "customer_ref", "customer_ref.known", True, policy.customer_ref))
    if agreement.ani is not None:
        weight = line_weight(agreement.ani, policy) / agreement.sharers
        rule = "ani.shared" if agreement.sharers > 1 else "ani.known"
        lines.append(Evidence("ani", agreement.ani.value, rule, True, weight))
    if agreement.external_id:
        lines.append(Evidence("external_id", "external_id", "external_id.known", True, policy.external_id))
    return lines


def _recency(last_contact: Millis | None, policy: IdentityPolicy, now: Millis) -> Evidence | None:
    days = recency_days(last_contact, now)
    if days is None:
        return None
    weight, rule = (policy.recency_day, "recency.day") if days == 1 else (policy.recency_week, "recency.week")
    return Evidence("recency", f"{days}day", rule, True, weight)


def recency_days(last_contact: Millis | None, now: Millis) -> int | None:
    """Whole days since the last contact, rounded up, 1..7; None beyond. A contact "in the future" was just now."""
    if last_contact is None:
        return None
    days = max(1, math.ceil((now - last_contact) / DAY))
    return days if days <= 7 else None


def _cap(agreement: Agreement, policy: IdentityPolicy) -> tuple[float, str]:
    """What is merely presented proves nobody; a customer_ref and its own number together do (semantics §5)."""
    if agreement.distrust is not None:
        return policy.cap_doubted, f"cap.{agreement.distrust}"
    if agreement.doubted and not agreement.customer_ref:
        return policy.cap_doubted, "cap.doubted"
    if agreement.customer_ref and agreement.ani is not None:
        return 1.0, "cap.whole"
    return policy.cap_presented, "cap.presented"


def _identity(confidence: float, agreement: Agreement, lines: list[Evidence], policy: IdentityPolicy) -> Identity:
    sources = []
    for line in lines:
        if line.kind == "ani":
            sources.append(f"ani:{line.subject}")
        elif line.kind == "recency":
            sources.append(f"recency:{line.subject}")
        elif line.kind != "cap":
            sources.append(line.kind)
    return Identity(confidence, level(confidence, policy), tuple(sources), recommend(confidence, policy))
