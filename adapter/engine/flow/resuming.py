"""A call that broke off, and the caller who rings back; and what a call leaves open when it ends."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from adapter.engine.line import Line
from adapter.engine.model import Call, IntentUpdate, Millis, Talk

# The intent that a promise to ring back is kept under.
CALLBACK_INTENT: Final = "callback_request"


def resumable(line: Line, previous: Call, now: Millis) -> Talk | None:
    """The conversation of a dropped call, for `begin`, where it may be taken up; its `attempt_of` is already set."""
    raise NotImplementedError


def settlement(talk: Talk, judged: Collection[str]) -> tuple[IntentUpdate, ...]:
    """The intents to apply as open when the call ends (as call `talk.attempt_of` or its own id). `judged`: intents that
    the call's API end says something of. Empty once the talk is settled."""
    raise NotImplementedError
