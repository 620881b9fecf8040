"""From a line's checked values, and its flow's, to `Line`. Nothing can fail here any more.

What is written nowhere has the default of its dataclass in `adapter.engine.line`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from adapter.engine.line import (
    Confirm,
    Destination,
    Disclosure,
    DisclosureRules,
    Escalation,
    Forget,
    Identify,
    IntentRule,
    Line,
    Menu,
    MenuOption,
    Offer,
    ProofKind,
    Spoken,
)
from adapter.engine.model import Mode

from .destinations import WORDS
from .inheritance import inherited

Loaded = Mapping[str, Any]


def line_of(entry: Loaded, flows: Loaded, organization: str, disclosure: DisclosureRules) -> Line:
    """The line that `entry` describes. `organization`: whose it is when it does not say."""
    settings = inherited(entry, flows.get(entry.get("flow", ""), {}))
    settings["organization"] = entry.get("organization", organization)
    settings["mode"] = Mode(entry["mode"])
    settings.pop("flow", None)
    read = {name: _READ[name](value) if name in _READ else value for name, value in settings.items()}
    if read.get("languages"):
        first = read["languages"][0]
        read |= {"language": first.language, "voice": first.voice}
    return _with_words(Line(**read, disclosure=disclosure))


def rules_of(section: Loaded) -> DisclosureRules:
    """The top level's `disclosure`."""
    return DisclosureRules(_classes(section["variables"]), _classes(section["intents"]))


def names_in_use(line: Line) -> Iterator[str]:
    """The destinations that the line refers to by name, some of them more than once."""
    for destination in (line.destination, *line.destinations.values()):
        yield from destination.after.values()
    for rule in line.intents.values():
        yield rule.to
        yield from (escalation.to for escalation in rule.escalate)


def _classes(written: Mapping[str, str]) -> Mapping[str, Disclosure]:
    return MappingProxyType({name: Disclosure(word) for name, word in written.items()})


def _with_words(line: Line) -> Line:
    """Named destinations with voicemail, callback and hangup among them, where the words are used as names."""
    words = {word.value: Destination(word) for word in WORDS if word in set(names_in_use(line))}
    destinations = MappingProxyType({**words, **line.destinations})
    return replace(line, destinations=destinations)


def _languages(written: Loaded) -> tuple[Spoken, ...]:
    return tuple(Spoken(language, **settings) for language, settings in written.items())


def _confirm(written: Loaded) -> Confirm:
    return Confirm(**{**written, **({"by": ProofKind(written["by"])} if "by" in written else {})})


def _identify(written: Loaded) -> Identify:
    rest = {name: value for name, value in written.items() if name != "external_id"}
    return Identify(written["external_id"], **rest)


def _menu(written: Loaded) -> Menu:
    options = tuple(MenuOption(**{**option, "words": tuple(option.get("words", ()))}) for option in written["options"])
    return Menu(**{**written, "options": options})


def _intents(written: Loaded) -> Mapping[str, IntentRule]:
    return MappingProxyType({name: _intent(rule) for name, rule in written.items()})


def _intent(written: Loaded) -> IntentRule:
    escalate = tuple(Escalation(**each) for each in written.get("escalate", ()))
    said = MappingProxyType(dict(written.get("said", {})))
    return IntentRule(**{**written, "escalate": escalate, "said": said})


_READ: Mapping[str, Callable[[Any], Any]] = {
    "languages": _languages,
    "confirm": _confirm,
    "identify": _identify,
    "offer": lambda written: Offer(**written),
    "menu": _menu,
    "forget": lambda written: Forget(**written),
    "intents": _intents,
    "texts": dict,
}
