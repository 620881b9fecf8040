"""Putting through: to which destination, with what context, what who answers is told, what follows when nobody does.

Leaves out: the channels and what fits through them (`adapter.twilio`), and when a call is put through (`going_on`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from adapter.engine.line import DEFAULT, DestinationKind, Line
from adapter.engine.model import Intent, Place, Recommendation, Talk

from .greetings import greeting, welcome
from .hearing import opening
from .known import Known, trusted
from .menu import called
from .resuming import CALLBACK_INTENT, informed
from .speaking import language_of, name_of, newest_intent, remembered, say, value_of
from .steps import Fact, HandOver, HangUp, Record, Say, Step, Whispered
from .trust import probable_at_most

# What a name in a context may hold; every channel takes it.
_UNFIT: Final = re.compile(r"[^a-z0-9_]")


def destination_of(line: Line, talk: Talk, known: Known) -> str:
    """The destination's name for what the call is about, escalated by the ordinal of the call about it."""
    rule = line.intents.get(talk.intent)
    if rule is None:
        return DEFAULT
    attempt = attempt_of(talk, known)
    steps = (each.to for each in rule.escalate if each.attempt <= attempt)
    name = [rule.to, *steps][-1]
    return name if name in line.destinations else DEFAULT


def attempt_of(talk: Talk, known: Known) -> int:
    """This is the n-th call about `talk.intent`. What is not disclosed is not counted either: 1."""
    intent = next((i for i in known.memory.open_intents if i.intent == talk.intent), None)
    return 1 if intent is None else _ordinal(intent, talk, known)


def put_through(
    line: Line, talk: Talk, known: Known, name: str, before: tuple[Say, ...] = (), first: bool = False
) -> tuple[Talk, Step]:
    """To the destination of this name. `first`: nothing was said yet in this call, so the caller is greeted."""
    there = replace(talk, place=Place.HANDED_OVER, destination=name, tried=(*talk.tried, name))
    return arrived(line, there, known, before, first)


def arrived(
    line: Line, talk: Talk, known: Known, before: tuple[Say, ...] = (), first: bool = False
) -> tuple[Talk, Step]:
    """What happens at `talk.destination`."""
    kind = line.destination_named(talk.destination).kind
    return _PUT_THROUGH.get(kind, _ring)(line, talk, known, before, first)


def follow_up(line: Line, talk: Talk, known: Known) -> tuple[Talk, Step]:
    """The step after a hand-over's outcome, a message or the wish to be forgotten was heard. Nobody is rung twice in a
    call."""
    over, spoken = replace(talk, place=Place.OVER), language_of(line, talk)
    done = talk.place in talk.visited
    if talk.place is Place.HANDED_OVER and not done:
        if talk.destination not in talk.tried:
            return put_through(line, talk, known, talk.destination)
        return over, Step((say(spoken, "unreached"),), HangUp(), talk.turn)
    if talk.place is Place.OVER and talk.visited[-1:] == (Place.FORGET,):
        return over, Step((say(spoken, "forgotten"),), HangUp(), talk.turn)
    recorded = (say(spoken, "recorded"),) if talk.place is Place.VOICEMAIL and done else ()
    return over, Step(recorded, HangUp(), talk.turn)


def whisper(line: Line, talk: Talk, known: Known) -> Whispered | None:
    """What who answers hears before the caller is connected, in the line's own language, not the caller's; None:
    nothing, connect at once."""
    destination = line.destination_named(talk.destination)
    if talk.place is not Place.HANDED_OVER or not (destination.whisper or destination.accept):
        return None
    spoken, known = line.spoken[0], probable_at_most(line, talk, known)
    facts = _told(line, informed(line, talk, known), known, spoken.language)
    told = (say(spoken, "whisper", remembered(line, known, facts)),) if destination.whisper else ()
    asked = (say(spoken, "whisper_accept"),) if destination.accept else ()
    return Whispered((*told, *asked), destination.accept)


# What a context can go along with. The other application that a call is redirected to says nothing of it any more.
_CARRYING: Final = frozenset(
    {
        DestinationKind.SIP,
        DestinationKind.CLIENT,
        DestinationKind.WORKFLOW,
        DestinationKind.RELAY,
        DestinationKind.STREAM,
        DestinationKind.REDIRECT,
    }
)


def _ring(line: Line, talk: Talk, known: Known, before: tuple[Say, ...], first: bool) -> tuple[Talk, Step]:
    words = greeting(line, talk, known) if first else say(language_of(line, talk), "connecting")
    destination = line.destination_named(talk.destination)
    context = tuple(_context(line, talk, known)) if destination.kind in _CARRYING else ()
    there = replace(talk, place=Place.OVER) if destination.kind is DestinationKind.REDIRECT else talk
    return there, Step((*before, words), HandOver(destination, context), talk.turn)


def _hang_up(line: Line, talk: Talk, known: Known, before: tuple[Say, ...], first: bool) -> tuple[Talk, Step]:
    words = greeting(line, talk, known) if first else say(language_of(line, talk), "goodbye")
    return replace(talk, place=Place.OVER), Step((*before, words), HangUp(), talk.turn)


def _voicemail(line: Line, talk: Talk, known: Known, before: tuple[Say, ...], first: bool) -> tuple[Talk, Step]:
    hello = (welcome(line, talk, known),) if first else ()
    says = (*before, *hello, say(language_of(line, talk), "voicemail"))
    return replace(talk, place=Place.VOICEMAIL), Step(says, Record(), talk.turn)


def _callback(line: Line, talk: Talk, known: Known, before: tuple[Say, ...], first: bool) -> tuple[Talk, Step]:
    """Nobody is promised to be rung back whose number we do not have, or may not have kept."""
    hello = (welcome(line, talk, known),) if first else ()
    text = "callback" if known.has_number else "unreached"
    promised = opening(talk, CALLBACK_INTENT) if known.has_number else talk
    says = (*before, *hello, say(language_of(line, talk), text))
    return replace(promised, place=Place.OVER), Step(says, HangUp(), talk.turn)


_PUT_THROUGH: Final[
    Mapping[DestinationKind, Callable[[Line, Talk, Known, tuple[Say, ...], bool], tuple[Talk, Step]]]
] = MappingProxyType(
    {
        DestinationKind.VOICEMAIL: _voicemail,
        DestinationKind.CALLBACK: _callback,
        DestinationKind.HANGUP: _hang_up,
    }
)


def _context(line: Line, talk: Talk, known: Known) -> Iterator[tuple[str, str]]:
    """The most important first. Names that are taken already, and what is unknown, are left out.

    A customer who is only probable is not referred to: with the reference, all of their memory can be read by API.
    """
    intent, attempt = _about(talk, known)
    yield "call_id", known.call_id
    if known.verified or trusted(line, known.recommendation, False) is not Recommendation.CONFIRM:
        yield "customer_ref", known.customer_ref
    yield "recommendation", known.recommendation.value
    yield "verified", "yes" if known.verified else "no"
    if intent:
        yield "intent", intent
        yield "attempt", str(attempt)
    if name := name_of(line, known):
        yield "name", name
    for variable in line.disclosure.variables:
        fit = _UNFIT.sub("_", variable.casefold())
        value = value_of(known, variable)
        if value and fit not in _CONTEXT:
            yield fit, value
    yield "language", language_of(line, talk).language


_CONTEXT: Final = frozenset(
    {"call_id", "customer_ref", "recommendation", "verified", "intent", "attempt", "name", "language"}
)


def _told(line: Line, talk: Talk, known: Known, language: str) -> dict[str, Fact]:
    intent, attempt = _about(talk, known)
    return {
        "name": name_of(line, known),
        "intent": called(line, intent, language) if intent else None,
        "attempt": attempt,
        "recommendation": known.recommendation.value,
        "verified": int(known.verified),
    }


def _about(talk: Talk, known: Known) -> tuple[str, int | None]:
    """What the call is about, and the how manieth it is; else what may be: the newest that was left open, unless the
    caller said no to it."""
    if talk.intent:
        return talk.intent, attempt_of(talk, known)
    newest = newest_intent(talk, known)
    return (newest.intent, _ordinal(newest, talk, known)) if newest else ("", None)


def _ordinal(intent: Intent, talk: Talk, known: Known) -> int:
    """A call that is taken up again counted already when it broke off."""
    counted = intent.intent in talk.counted or intent.last_call_id in (known.call_id, talk.attempt_of)
    return intent.attempt_count + (0 if counted else 1)
