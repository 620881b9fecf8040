"""Steps and the ways to them in words that people in a contact center use. Leaves out: the page (`command`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from adapter.engine.flow import Ask, HandOver, Record, Step
from adapter.engine.line import Destination
from adapter.engine.model import Place

from .steps import Way

HEADINGS: Final[Mapping[Place, str]] = {
    Place.LANGUAGE: "Which language?",
    Place.WHO: "Who is it, of several people on this number?",
    Place.IDENTIFY: "Who is it, when the number does not tell?",
    Place.CONFIRM: "Is it really them?",
    Place.OFFER: "Is it about what they left open?",
    Place.MENU: "What is it about?",
    Place.FORGET: "Erase everything about them?",
    Place.HANDED_OVER: "Put through",
    Place.VOICEMAIL: "Voicemail",
    Place.OVER: "The end",
}
# How the walk (`adapter.engine.flow.graph`) calls callers and what they do, and how people would.
_CALLERS: Final = {"reuse": "known", "confirm": "probable", "ignore": "new"}
_OF_CALLERS: Final = {
    "two people": "on a shared number",
    "nothing to prove it": "with nothing to prove it by",
    "locked": "whose number is locked out",
    "no number": "without a number",
}
_BECAME: Final = {
    "reuse": "then known",
    "confirm": "then probable",
    "ignore": "then still unknown",
    "locked": "then locked out",
}
# What happens there needs no further word; at questions the word says which one.
_PLAIN_PLACES: Final = ("handed_over", "voicemail")
_MOST_WAYS: Final = 6


def way_in_words(ways: Sequence[Way], language: str) -> str:
    """The shortest way, with everything that can be its last step: `known caller → menu: silence or wrong key`.

    `language`: the one that is spoken here, so that choosing it needs no word.
    """
    shortest = min((way.path for way in ways), key=_oddity)
    before = shortest[:-1]
    last = list(dict.fromkeys(way.path[-1] for way in ways if way.path[:-1] == before))
    came = [_in_words([label], first=at == 0) for at, label in enumerate(before) if label != f"language: {language}"]
    if shortest[-1] != f"language: {language}":
        came.append(_in_words(last, first=not before))
    return " → ".join(came)


def _oddity(path: tuple[str, ...]) -> tuple[int, int]:
    """Short ways of ordinary callers are told rather than those of rare ones."""
    return len(path) + path[0].count(", "), len(path[0])


def _in_words(labels: Sequence[str], *, first: bool) -> str:
    return _callers_in_words(labels) if first else _deeds_in_words(labels)


def _callers_in_words(labels: Iterable[str]) -> str:
    """`known or probable caller, on a shared number`: those of whom the same is told together."""
    kinds: dict[str, list[str]] = {}
    for label in _without_kinds(labels):
        kind, _, rest = label.partition(", ")
        kinds.setdefault(rest, []).append(_CALLERS.get(kind, kind))
    told = [", ".join([_kind_in_words(heads), *_told_of(rest)]) for rest, heads in kinds.items()]
    return _either(told)


def _without_kinds(labels: Iterable[str]) -> list[str]:
    """A known caller is any of them: one who is locked out need not be told beside it."""
    listed = list(labels)
    return [label for label in listed if not any(label.startswith(f"{other}, ") for other in listed)]


def _kind_in_words(heads: Sequence[str]) -> str:
    if set(heads) == set(_CALLERS.values()):
        return "any caller"
    callers = [head for head in heads if head in _CALLERS.values()]
    return f"{' or '.join(callers)} caller" if callers else heads[0]


def _told_of(rest: str) -> Iterator[str]:
    for part in rest.split(", ") if rest else ():
        if times := re.fullmatch(r"(\d+) times before", part):
            yield "who called about it " + ("once" if times[1] == "1" else f"{times[1]} times")
        elif part.startswith("only "):
            yield f"who left {part.removeprefix('only ')} open"
        else:
            yield _OF_CALLERS.get(part, part)


def _deeds_in_words(labels: Sequence[str]) -> str:
    places = {label.partition(": ")[0] for label in labels}
    told = list(dict.fromkeys(_deed_in_words(label.partition(": ")[2]) for label in labels))
    place = places.pop() if len(places) == 1 else ""
    return _either(told) if place in _PLAIN_PLACES or told[0].startswith("cut off") else f"{place}: {_either(told)}"


def _deed_in_words(did: str) -> str:
    """Who rings back, or answers wrongly, is whoever they were."""
    what, *became = did.split(", ")
    kept = became if what in ("account number", "wrong answer") else [each for each in became if each not in _BECAME]
    told = [each for each in kept if what == "account number" or each not in _CALLERS]
    return ", ".join([what, *(_BECAME.get(each, each) for each in told)])


def _either(told: Sequence[str]) -> str:
    shown = [*told[:_MOST_WAYS], *(["…"] if len(told) > _MOST_WAYS else [])]
    if any("," in each for each in shown):
        return "; or ".join(shown)
    if len(shown) < 3:
        return " or ".join(shown)
    return f"{', '.join(shown[:-1])} or {shown[-1]}"


def then_in_words(step: Step) -> str:
    """What happens after the words: `queue billing`, `waits for keys or words`, `hangs up`."""
    if isinstance(step.then, Ask):
        return "waits for keys or words" if step.then.speech else "waits for keys"
    if isinstance(step.then, HandOver):
        return destination_in_words(step.then.destination)
    return "records a message" if isinstance(step.then, Record) else "hangs up"


def destination_in_words(destination: Destination) -> str:
    """`dial +14155550199`, `queue support`, `voicemail`."""
    return f"{destination.kind.value} {destination.target}".strip()


def said_in(document: str) -> str:
    """All that is spoken by a TwiML document of ours."""
    return " ".join(say.text or "" for say in ET.fromstring(document).iter("Say"))  # nosec B314  # noqa: S314 - our own


def indented(document: str) -> str:
    """The same TwiML, for reading."""
    tree = ET.fromstring(document)  # nosec B314  # noqa: S314 - our own
    ET.indent(tree)
    return ET.tostring(tree, encoding="unicode")
