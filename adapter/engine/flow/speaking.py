"""In which language and voice a caller is spoken to, and what texts may mention of what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from adapter.engine.line import Line, Spoken
from adapter.engine.model import Intent, Talk

from .known import Known
from .menu import called
from .steps import Fact, Say
from .words import primary


def language_of(line: Line, talk: Talk) -> Spoken:
    """The language of this talk; the line's own as long as none was chosen, and when it is configured no more."""
    spoken = line.spoken
    if len(spoken) == 1:
        return spoken[0]
    return next((each for each in spoken if each.language == talk.language), spoken[0])


def to_choose_from(line: Line) -> tuple[Spoken, ...]:
    """The languages that can be chosen by key: two or more, or none."""
    keyed = tuple(each for each in line.languages if each.key)
    return keyed if len(keyed) > 1 else ()


def remembered_language(line: Line, known: Known) -> str:
    """The line's spelling of the language that the caller is known to speak ("de" finds "de-DE"); "" for none."""
    if not line.languages:
        return ""
    wanted = value_of(known, line.language_variable) or ""
    tag = wanted.replace("_", "-").casefold()
    exact = (each.language for each in line.languages if each.language.casefold() == tag)
    near = (each.language for each in line.languages if primary(each.language) == primary(tag))
    return next(exact, None) or next(near, "")


def value_of(known: Known, variable: str) -> str | None:
    """The value of a variable that this caller may hear, None without one."""
    return next((v.value for v in known.memory.variables if v.name == variable), None)


def newest_intent(talk: Talk, known: Known) -> Intent | None:
    """What the caller left open last and was not asked about in this call."""
    return next((i for i in reversed(known.memory.open_intents) if i.intent not in talk.offered), None)


def say(spoken: Spoken, text: str, facts: Mapping[str, Fact] | None = None) -> Say:
    """A text in this language and voice."""
    return Say(text, spoken.language, MappingProxyType(dict(facts or {})), spoken.voice)


def remembered(line: Line, known: Known, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Facts of a text that may mention what is remembered: the variables that the line names for it, then `facts`."""
    if not line.disclosure.variables:
        return dict(facts)
    variables: dict[str, Fact] = {
        name: value_of(known, name) for name in line.disclosure.variables if name.isidentifier()
    }
    return {**variables, **facts}


def name_of(line: Line, known: Known) -> str | None:
    """What the caller is called."""
    return value_of(known, line.name_variable)


def intent_facts(line: Line, spoken: Spoken, intent: Intent | None) -> dict[str, Fact]:
    """`intent` in words and `attempt_count`; None where there is none."""
    if intent is None:
        return {"intent": None, "attempt_count": None}
    return {"intent": called(line, intent.intent, spoken.language), "attempt_count": intent.attempt_count}
