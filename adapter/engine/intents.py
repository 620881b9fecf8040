"""Open intents and how often they were left open (semantics §7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from .model import Intent, IntentStatus, IntentUpdate, Millis


def apply(
    existing: Mapping[str, Intent],
    updates: Iterable[IntentUpdate],
    call_id: str,
    now: Millis,
    counted: Collection[str] = (),
) -> list[Intent]:
    """The intents as they are after this call's end. `existing` holds those of the same names, where there are any.

    `counted`: those that the call has left open before, which count no more when it says so again.
    """
    return [
        _apply_one(existing.get(u.intent), u, call_id, now, place, u.intent in counted)
        for place, u in enumerate(updates)
    ]


def take_back(current: Intent, before: Intent | None, call_id: str) -> Intent | None:
    """The intent as it is if that call (under this id in `last_call_id`) was about somebody else's.

    `before`: as it was when the call changed it. None: there is none. What other calls said since stays said.
    """
    if current.last_call_id == call_id:
        return before
    if current.status is IntentStatus.RESOLVED:
        return current
    return replace(current, attempt_count=max(1, current.attempt_count - 1))


def _apply_one(
    before: Intent | None, update: IntentUpdate, call_id: str, now: Millis, place: int, counted: bool
) -> Intent:
    still_open = before if before is not None and before.status is IntentStatus.OPEN else None
    opened_at, position = (still_open.opened_at, still_open.position) if still_open else (now, place)
    return Intent(
        intent=update.intent,
        status=update.status,
        attempt_count=_attempts(still_open, update.status, counted, call_id),
        opened_at=opened_at,
        position=position,
        updated_at=now,
        last_call_id=call_id,
        resolution=update.resolution,
    )


def _attempts(still_open: Intent | None, status: IntentStatus, counted: bool, call_id: str) -> int:
    """Ended calls that left it open since it was last resolved; one call counts once, however often it says so."""
    if status is IntentStatus.RESOLVED:
        return 0
    if still_open is None:
        return 1
    return still_open.attempt_count + (0 if counted or still_open.last_call_id == call_id else 1)
