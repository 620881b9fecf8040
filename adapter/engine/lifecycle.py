"""The life of a call: started, hung up, ended, wrapped up; news of it in any order (semantics §6, §7, §9).

Three messages, each taken at most once: the start (API start or voice webhook), the hang-up (Twilio's terminal
status) and the API end. What a call *is* follows from which of them were taken, not from their order, so every order
ends alike.
"""

from __future__ import annotations

from enum import StrEnum

from .model import Call, Conflict, Millis
from .policy import DAY, HOUR, SECOND, CallPolicy


class CallState(StrEnum):
    """What a call is now."""

    ACTIVE = "active"
    HUNG_UP = "hung_up"
    ENDED = "ended"


def state(call: Call) -> CallState:
    """`ended` once an API end was saved; `hung_up` once Twilio said so; else `active`."""
    if call.ended_at is not None:
        return CallState.ENDED
    return CallState.HUNG_UP if call.hung_up_at is not None else CallState.ACTIVE


def is_free(call: Call | None, now: Millis, policy: CallPolicy) -> bool:
    """Whether the call_id may name a new call: unknown, or its uniqueness has run out (30 days after its start)."""
    return call is None or now - call.started_at >= policy.unique_days * DAY


def is_forgotten(at: Millis, now: Millis, policy: CallPolicy) -> bool:
    """Whether news of this time, of a call that nobody knows, is as good as of now: a signed callback stays genuine for
    ever, and of its own time it would be swept away, and charged for, each time it is sent again."""
    return now - at >= policy.unique_days * DAY


def refuse_start(call: Call | None, now: Millis, policy: CallPolicy) -> Conflict | None:
    """A second start. A call of which we so far only know the hang-up has not been started."""
    if call is None or is_free(call, now, policy) or (call.greeted_at is None and call.ended_at is None):
        return None
    return Conflict("A call with this call_id was already started; use a unique call_id for each call.", *_first(call))


def refuse_end(call: Call | None, now: Millis, policy: CallPolicy) -> Conflict | None:
    """A second end, or one after the wrap-up window that a hang-up opens."""
    if call is None or is_free(call, now, policy):
        return None
    if call.ended_at is not None:
        return Conflict("This call has already ended; nothing was saved.", *_first(call))
    return _refuse_late(call, now, policy)


def refuse_verdict(call: Call, now: Millis, policy: CallPolicy) -> Conflict | None:
    """A verdict on a call that has ended, or whose wrap-up window is over: what it found was believed since."""
    if call.ended_at is not None:
        return Conflict("This call has already ended; a verdict belongs to the call.", *_first(call))
    return _refuse_late(call, now, policy)


def _refuse_late(call: Call, now: Millis, policy: CallPolicy) -> Conflict | None:
    if call.hung_up_at is None or now - call.hung_up_at <= policy.wrap_up_hours * HOUR:
        return None
    return Conflict(
        f"This call was hung up more than {policy.wrap_up_hours} hours ago: "
        "its wrap-up window is over and nothing was saved.",
        *_first(call),
    )


def call_end(call: Call) -> Millis | None:
    """When the caller was gone: Twilio's word where there is one, else the API's end; never before the start."""
    end = call.hung_up_at if call.hung_up_at is not None else call.ended_at
    return None if end is None else max(end, call.started_at)


def duration_seconds(call: Call) -> int:
    """Whole seconds from start to end; 0 while it lasts."""
    end = call_end(call)
    return 0 if end is None else (end - call.started_at) // SECOND


def _first(call: Call) -> tuple[str | None, Millis]:
    """What a client whose answer was lost needs to go on."""
    return call.customer_ref, call.started_at
