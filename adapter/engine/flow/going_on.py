"""Where the conversation goes next and what is said there: the walk from the place that was just heard to the next one.

Leaves out: what an answer meant (`hearing`), who is calling (`known`), and following a hand-over (`handover`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapter.engine.line import DEFAULT, Line
from adapter.engine.model import Millis, Place, Talk

from .greetings import welcome
from .handover import arrived, destination_of, follow_up, put_through
from .known import Known
from .places import next_place, to_offer
from .questions import question
from .resuming import going_on, taken_up
from .speaking import language_of, name_of, remembered, remembered_language, say
from .steps import Say, Step
from .trust import is_unproved, probable_at_most

_PROVING: Final = frozenset({Place.WHO, Place.CONFIRM})
_BEYOND_QUESTIONS: Final = frozenset({Place.HANDED_OVER, Place.VOICEMAIL, Place.OVER})


def begin(line: Line, known: Known, now: Millis, resumed: Talk | None = None) -> tuple[Talk, Step]:
    """The first step of a call. `resumed`: the conversation that broke off, from `resumable`."""
    if not line.converses:
        return _at_once(line, known, now)
    new = Talk(Place.LANGUAGE, turn=0, since=now)
    known = probable_at_most(line, new, known)
    talk = new if resumed is None else taken_up(resumed, known, now)
    talk = replace(going_on(line, talk, known), turn=1)
    place = next_place(line, talk, known)
    first = resumed is None or is_unproved(line, talk, known)
    before = () if first else (say(language_of(line, talk), "resumed"),)
    if place is Place.HANDED_OVER:
        return put_through(line, talk, known, destination_of(line, talk, known), before, first)
    hello = before or (welcome(line, talk, known),)
    used_up = resumed is not None and resumed.place is place
    tries, wrong = (resumed.tries, resumed.wrong) if resumed is not None and used_up else (0, 0)
    there = replace(talk, place=place, tries=tries, wrong=wrong)
    return _ask(line, _offering(line, talk, known, there), known, hello)


def go_on(line: Line, talk: Talk, known: Known, now: Millis) -> tuple[Talk, Step]:
    """The step after a turn was heard: `talk` is `Heard.talk`, `known` who is calling now."""
    known = probable_at_most(line, talk, known)
    talk = replace(going_on(line, talk, known), turn=talk.turn + 1)
    if talk.place in _BEYOND_QUESTIONS:
        return follow_up(line, talk, known)
    place = next_place(line, talk, known)
    if place is talk.place:
        again = (say(language_of(line, talk), "again"),) if talk.tries else ()
        return _ask(line, _offering(line, talk, known, talk), known, again)
    before, left = _proved(line, talk, known), _left(talk)
    if place is Place.HANDED_OVER:
        return put_through(line, left, known, destination_of(line, left, known), before)
    there = replace(left, place=place, tries=0, wrong=0, since=now)
    return _ask(line, _offering(line, talk, known, there), known, before)


def _at_once(line: Line, known: Known, now: Millis) -> tuple[Talk, Step]:
    """The way of most calls there are: nothing is asked, so nothing is walked through."""
    language = remembered_language(line, known)
    talk = Talk(Place.HANDED_OVER, since=now, language=language, destination=DEFAULT, tried=(DEFAULT,))
    return arrived(line, talk, known, first=True)


def _ask(line: Line, talk: Talk, known: Known, before: tuple[Say, ...]) -> tuple[Talk, Step]:
    says, ask = question(line, talk, known, talk.place)
    return talk, Step((*before, *says), ask, talk.turn)


def _offering(line: Line, talk: Talk, known: Known, there: Talk) -> Talk:
    """`offered` ends with what is asked about now, so that the answer can be understood without the memory."""
    intent = to_offer(line, talk, known) if there.place is Place.OFFER else None
    if intent is None or there.offered[-1:] == (intent.intent,):
        return there
    return replace(there, offered=(*there.offered, intent.intent))


def _left(talk: Talk) -> Talk:
    """A question that does not apply any more is done with, too."""
    return talk if talk.place in talk.visited else replace(talk, visited=(*talk.visited, talk.place))


def _proved(line: Line, talk: Talk, known: Known) -> tuple[Say, ...]:
    """After the question who it is: the same words for everybody who did not show it, customer or not."""
    if talk.place not in _PROVING:
        return ()
    spoken = language_of(line, talk)
    if not known.verified:
        return (say(spoken, "not_verified"),)
    return (say(spoken, "verified", remembered(line, known, {"name": name_of(line, known)})),)
