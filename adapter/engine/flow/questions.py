"""The questions, put in words: which texts with which facts, and what the caller may answer with.

Leaves out: when a question is asked (`places`), the texts themselves (`adapter.twilio.texts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapter.engine.line import Line, ProofKind, Spoken
from adapter.engine.model import Intent, Place, Talk

from .known import Known
from .menu import called, hints
from .speaking import intent_facts, language_of, remembered, say, to_choose_from
from .steps import Ask, Say
from .words import vocabulary


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a question is made of."""

    line: Line
    talk: Talk
    known: Known

    @property
    def spoken(self) -> Spoken:
        return language_of(self.line, self.talk)

    @property
    def offered(self) -> Intent | None:
        """The intent that is asked about: the last of those that the talk offered."""
        name = self.talk.offered[-1:]
        return next((i for i in self.known.memory.open_intents if i.intent in name), None)

    @property
    def speech(self) -> int:
        """As a fact: templates know no booleans."""
        return int(self.line.speech)


Words = tuple[tuple[Say, ...], Ask]


def question(line: Line, talk: Talk, known: Known, place: Place) -> Words:
    """What is said at this place, and what is waited for."""
    return _QUESTIONS[place](Asked(line, talk, known))


def _language(asked: Asked) -> Words:
    choices = to_choose_from(asked.line)
    return tuple(say(each, "ask_language", {"key": each.key}) for each in choices), Ask(1, speech=False)


def _who(asked: Asked) -> Words:
    return _proof(asked, "ask_who")


def _confirm(asked: Asked) -> Words:
    return _proof(asked, "ask_name")


def _proof(asked: Asked, for_a_name: str) -> Words:
    confirm, spoken, speech = asked.line.confirm, asked.spoken, asked.speech
    if confirm is None or confirm.by is ProofKind.NAME:
        return (say(spoken, for_a_name, {"speech": speech}),), Ask()
    if confirm.by is ProofKind.PIN:
        return (say(spoken, "ask_pin", {"speech": speech}),), Ask(speech=bool(speech))
    facts = {"count": confirm.digits, "speech": speech}
    return (say(spoken, "ask_digits", facts),), Ask(confirm.digits, bool(speech))


def _identify(asked: Asked) -> Words:
    length = asked.line.identify.length if asked.line.identify else None
    facts = {"length": length, "speech": asked.speech}
    return (say(asked.spoken, "ask_account", facts),), Ask(length, asked.line.speech)


def _offer(asked: Asked) -> Words:
    line, spoken = asked.line, asked.spoken
    facts = {
        **intent_facts(line, spoken, asked.offered),
        "speech": asked.speech,
    }
    known = vocabulary(spoken.language)
    likely = (*sorted(known.yes), *sorted(known.no)) if line.speech else ()
    return (say(spoken, "offer", remembered(line, asked.known, facts)),), Ask(1, line.speech, likely)


def _menu(asked: Asked) -> Words:
    line, spoken, menu = asked.line, asked.spoken, asked.line.menu
    options = menu.options if menu else ()
    says = [say(spoken, "menu", {"speech": asked.speech})]
    for option in options:
        facts = {"intent": called(line, option.intent, spoken.language), "key": option.key or None}
        says.append(say(spoken, "menu_option", facts))
    likely = hints(line, menu, spoken.language) if menu and line.speech else ()
    return tuple(says), Ask(1, line.speech, likely)


def _forget(asked: Asked) -> Words:
    known = vocabulary(asked.spoken.language)
    likely = (*sorted(known.yes), *sorted(known.no)) if asked.line.speech else ()
    return (say(asked.spoken, "ask_forget", {"speech": asked.speech}),), Ask(1, asked.line.speech, likely)


_QUESTIONS: Final[Mapping[Place, Callable[[Asked], Words]]] = MappingProxyType(
    {
        Place.LANGUAGE: _language,
        Place.WHO: _who,
        Place.IDENTIFY: _identify,
        Place.CONFIRM: _confirm,
        Place.OFFER: _offer,
        Place.MENU: _menu,
        Place.FORGET: _forget,
    }
)
