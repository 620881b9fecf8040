"""Variables with a time to live: writing renews it, reading does not (semantics §7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .model import Millis, Variable, VariableUpdate
from .policy import SECOND, VariablePolicy


def apply(
    living: Mapping[str, Variable], updates: Iterable[VariableUpdate], policy: VariablePolicy, now: Millis
) -> tuple[list[Variable], list[str]]:
    """What to keep and which names to forget. `living` holds the unexpired ones of the same names."""
    keep: list[Variable] = []
    forget: list[str] = []
    for place, update in enumerate(updates):
        if update.value is None:
            forget.append(update.name)
        else:
            keep.append(_written(living.get(update.name), update, update.value, policy, now, place))
    return keep, forget


def is_living(expires_at: Millis, now: Millis) -> bool:
    """A variable is gone at the very millisecond it expires."""
    return expires_at > now


def _written(
    before: Variable | None, update: VariableUpdate, value: str, policy: VariablePolicy, now: Millis, place: int
) -> Variable:
    """A rewritten variable keeps its place in answers; one that had expired is a new one."""
    created_at, position = (before.created_at, before.position) if before else (now, place)
    ttl_seconds = policy.default_ttl_seconds if update.ttl_seconds is None else update.ttl_seconds
    return Variable(
        name=update.name,
        value=value,
        source=update.source,
        ttl_seconds=ttl_seconds,
        created_at=created_at,
        position=position,
        expires_at=now + ttl_seconds * SECOND,
    )
