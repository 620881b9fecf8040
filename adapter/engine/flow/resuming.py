"""What outlives a turn or a call: a talk brought up to date, a dropped call taken up again, what a call leaves open.

Leaves out: which call was the caller's last one, and writing what is settled (the use cases).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from adapter.engine.line import Line
from adapter.engine.model import Call, IntentUpdate, Millis, Place, Talk

from .known import Known
from .speaking import remembered_language

# The intent that a promise to ring back is kept under.
CALLBACK_INTENT: Final = "callback_request"

# What an earlier call proved of its caller, or failed to, it proved of that call only.
_ASKED_ANEW: Final = frozenset({Place.WHO, Place.IDENTIFY, Place.CONFIRM})


def informed(line: Line, talk: Talk, known: Known) -> Talk:
    """The talk as it stands with who is known now: their language, the lock, and nothing that was offered from a memory
    which this caller may not hear (any more)."""
    language = talk.language or remembered_language(line, known)
    locked = talk.locked or known.locked
    if (language, locked) != (talk.language, talk.locked):
        talk = replace(talk, language=language, locked=locked)
    hidden = _hidden(talk, known)
    return _forgetting(talk, hidden) if hidden else talk


def resumable(line: Line, previous: Call, now: Millis) -> Talk | None:
    """The conversation of a dropped call, for `begin`, where it may be taken up; its `attempt_of` is already set.

    Dropped: hung up within the line's `resume_minutes`, before the conversation was over, and not ended by the API.
    """
    talk, hung_up_at = previous.talk, previous.hung_up_at
    if talk is None or hung_up_at is None or previous.ended_at is not None:
        return None
    if not line.converses or talk.place is Place.OVER or now - hung_up_at > line.resume_minutes * 60_000:
        return None
    return replace(talk, attempt_of=talk.attempt_of or previous.call_id) if line.resume_minutes else None


def taken_up(resumed: Talk, known: Known, now: Millis) -> Talk:
    """A new call's talk, that knows what the old one did. An offer without an answer is made again; what came from
    memory counts only where the new caller may hear it, too."""
    offered = resumed.offered[:-1] if resumed.place is Place.OFFER and not resumed.intent else resumed.offered
    talk = Talk(
        place=Place.LANGUAGE,
        turn=0,
        since=now,
        visited=tuple(place for place in resumed.visited if place not in _ASKED_ANEW),
        language=resumed.language,
        intent=resumed.intent,
        offered=offered,
        opened=resumed.opened,
        attempt_of=resumed.attempt_of,
    )
    hidden = _hidden(talk, known)
    if not hidden:
        return talk
    kept = tuple(intent for intent in talk.offered if intent not in hidden)
    visited = tuple(place for place in talk.visited if place is not Place.OFFER)
    return replace(_forgetting(talk, hidden), offered=kept, visited=visited)


def settlement(talk: Talk, judged: Collection[str]) -> tuple[IntentUpdate, ...]:
    """The intents to apply as open when the call ends (as call `talk.attempt_of` or its own id). `judged`: intents that
    the call's API end says something of. Empty once the talk is settled."""
    if talk.settled:
        return ()
    return tuple(IntentUpdate(intent) for intent in talk.opened if intent not in judged)


def _hidden(talk: Talk, known: Known) -> frozenset[str]:
    """Intents that were taken from a memory and are not in the one that this caller may hear."""
    if not talk.offered:
        return frozenset()
    return frozenset(talk.offered).difference(intent.intent for intent in known.memory.open_intents)


def _forgetting(talk: Talk, hidden: Collection[str]) -> Talk:
    opened = tuple(intent for intent in talk.opened if intent not in hidden)
    return replace(talk, intent="" if talk.intent in hidden else talk.intent, opened=opened)
