"""Which question comes next: the places in their order, each with the condition under which it is asked.

Leaves out: what is said there (`questions`), and what an answer leads to (`table`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapter.engine.line import Line, ProofKind
from adapter.engine.model import Intent, Place, Recommendation, Talk

from .known import Known
from .speaking import to_choose_from


@dataclass(frozen=True, slots=True)
class Question:
    """A place, and whether it applies to a caller."""

    place: Place
    applies: Callable[[Line, Talk, Known], bool]


def next_place(line: Line, talk: Talk, known: Known) -> Place:
    """The first question from `talk.place` on that applies and is not done with; HANDED_OVER when there is none.

    Never an earlier one: that is what makes every conversation end.
    """
    from_here = ORDER[_POSITION[talk.place] :]
    due = (q.place for q in from_here if q.place not in talk.visited and q.applies(line, talk, known))
    return next(due, Place.HANDED_OVER)


def is_proving_due(line: Line, talk: Talk, known: Known) -> bool:
    """Whether the caller is still to show who they are: until then nobody is called by a name."""
    return is_who_due(line, talk, known) or is_confirm_due(line, talk, known)


def is_language_due(line: Line, talk: Talk, known: Known) -> bool:
    """Several languages have keys, and none was chosen or is remembered."""
    return not talk.language and bool(to_choose_from(line))


def is_who_due(line: Line, talk: Talk, known: Known) -> bool:
    """Several customers are on the caller's number, and something tells them apart."""
    return known.people > 1 and known.provable and _may_prove(line, talk, known)


def is_identify_due(line: Line, talk: Talk, known: Known) -> bool:
    """Nothing has identified the caller."""
    return line.identify is not None and known.recommendation is Recommendation.IGNORE


def is_confirm_due(line: Line, talk: Talk, known: Known) -> bool:
    """A probable caller who can prove it; or whoever named an account, found or not, so that the question does not tell
    whether such a customer exists."""
    if line.confirm is None or Place.WHO in talk.visited or not _may_prove(line, talk, known):
        return False
    if talk.presented is not None and known.recommendation is not Recommendation.REUSE:
        return True
    asked = known.recommendation is Recommendation.CONFIRM
    always = known.recommendation is Recommendation.REUSE and line.confirm.always
    return known.provable and (asked or always)


def is_offer_due(line: Line, talk: Talk, known: Known) -> bool:
    """There is something left open to ask about."""
    return to_offer(line, talk, known) is not None


def is_menu_due(line: Line, talk: Talk, known: Known) -> bool:
    """Nobody knows yet what the call is about."""
    return line.menu is not None and not talk.intent


def is_forget_due(line: Line, talk: Talk, known: Known) -> bool:
    """A caller who proved in this call who they are wants to be forgotten. Nobody else can have anything erased."""
    return line.forget is not None and known.verified and talk.intent == line.forget.intent


def to_offer(line: Line, talk: Talk, known: Known) -> Intent | None:
    """The intent to ask about next: the one that got no answer yet, else the newest that was not asked about.

    Never whether somebody wants to be forgotten: who could not prove who they were can say so again.
    """
    if line.offer is None or talk.intent:
        return None
    unwanted = line.forget and line.forget.intent
    newest_first = [each for each in known.memory.open_intents[::-1] if each.intent != unwanted]
    if talk.place is Place.OFFER and talk.tries:
        return next((i for i in newest_first if i.intent in talk.offered[-1:]), None)
    if len(talk.offered) >= line.offer.most:
        return None
    return next((i for i in newest_first if i.intent not in talk.offered), None)


def _may_prove(line: Line, talk: Talk, known: Known) -> bool:
    """There is a way to ask at all: names cannot be keyed in."""
    confirm = line.confirm
    if confirm is None or known.verified or talk.locked or known.locked:
        return False
    return line.speech or confirm.by is not ProofKind.NAME


ORDER: Final = (
    Question(Place.LANGUAGE, is_language_due),
    Question(Place.WHO, is_who_due),
    Question(Place.IDENTIFY, is_identify_due),
    Question(Place.CONFIRM, is_confirm_due),
    Question(Place.OFFER, is_offer_due),
    Question(Place.MENU, is_menu_due),
    Question(Place.FORGET, is_forget_due),
)

_POSITION: Final = {question.place: position for position, question in enumerate(ORDER)}
