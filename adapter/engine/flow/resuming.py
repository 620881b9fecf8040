"""What outlives a turn or a call: a talk brought up to date, a dropped call taken up again, what a call leaves open.

Leaves out: which call was the caller's last one, and writing what is settled (the use cases).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from adapter.engine.disclosure import class_of
from adapter.engine.line import Line
from adapter.engine.model import Call, IntentUpdate, Millis, Place, Talk

from .hearing import without_intents
from .known import Known
from .speaking import remembered_language
from .trust import may_go_on_with

# The intent that a promise to ring back is kept under.
CALLBACK_INTENT: Final = "callback_request"

# What an earlier call proved of its caller, or failed to, it proved of that call only.
_ASKED_ANEW: Final = frozenset({Place.WHO, Place.IDENTIFY, Place.CONFIRM})


def informed(line: Line, talk: Talk, known: Known) -> Talk:
    """The talk as it stands with who is known now: their language, the lock, and nothing from a memory, or from the
    call that this one goes on with, which this caller may not hear (any more)."""
    language = talk.language or remembered_language(line, known)
    locked = talk.locked or known.locked
    if (language, locked) != (talk.language, talk.locked):
        talk = replace(talk, language=language, locked=locked)
    hidden = _hidden(line, talk, known)
    return without_intents(talk, hidden) if hidden else talk


def going_on(line: Line, talk: Talk, known: Known) -> Talk:
    """`informed`, and once the caller may hear what the earlier call was about, this one is about it, too; unless they
    said meanwhile what it is about."""
    talk = informed(line, talk, known)
    if talk.intent or not talk.carried:
        return talk
    hidden = _hidden(line, talk, known)
    heard = tuple(intent for intent in talk.carried if intent not in hidden)
    intent = talk.carried[-1] if talk.carried[-1] in heard else ""
    return replace(talk, intent=intent, opened=tuple(dict.fromkeys((*talk.opened, *heard))))


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
    """A new call's talk, that knows what the old one did. An offer without an answer is made again, and so is one that
    the new caller may not hear (yet). What the old one was about is kept back for `going_on`."""
    carried = _carried(resumed)
    offered = resumed.offered[:-1] if resumed.place is Place.OFFER and not resumed.intent else resumed.offered
    remembered = {intent.intent for intent in known.memory.open_intents}
    kept = tuple(intent for intent in offered if intent in remembered and intent not in carried)
    # What is not known yet, or may not be, has to be asked for.
    asked_anew = {*_ASKED_ANEW, *((Place.OFFER, Place.MENU) if carried else ())}
    if not remembered.issuperset(offered):
        asked_anew.add(Place.OFFER)
    return Talk(
        place=Place.LANGUAGE,
        turn=0,
        since=now,
        visited=tuple(place for place in resumed.visited if place not in asked_anew),
        language=resumed.language,
        offered=kept,
        counted=resumed.counted,
        attempt_of=resumed.attempt_of,
        carried=carried,
    )


def _carried(resumed: Talk) -> tuple[str, ...]:
    """All that the call, and those before it, opened; the last is what it was about."""
    opened = dict.fromkeys((*resumed.opened, *resumed.carried))
    if resumed.intent:
        opened.pop(resumed.intent, None)
        opened[resumed.intent] = None
    return tuple(opened)


def settlement(talk: Talk, judged: Collection[str]) -> tuple[IntentUpdate, ...]:
    """The intents to apply as open when the call ends (as call `talk.attempt_of` or its own id). `judged`: intents that
    the call's API end says something of. Empty once the talk is settled."""
    if talk.settled:
        return ()
    return tuple(IntentUpdate(intent) for intent in talk.opened if intent not in judged)


def _hidden(line: Line, talk: Talk, known: Known) -> frozenset[str]:
    """Intents that were taken from a memory and are not in the one that this caller may hear, or that an earlier call
    was about and that this one may not go on with."""
    if not talk.offered and not talk.carried:
        return frozenset()
    classes = may_go_on_with(line, talk, known)
    kept_back = (intent for intent in talk.carried if class_of(line.disclosure, intent) not in classes)
    return frozenset(talk.offered).difference(intent.intent for intent in known.memory.open_intents).union(kept_back)
