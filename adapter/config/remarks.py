"""What is not wrong with a line, but probably not meant: worth a note before callers find out.

Leaves out: mistakes, which stop the start (`references`, `flow_references`).
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.engine.line import Line
from adapter.twilio.voices import speaks

from .lines import names_in_use
from .suggestions import did_you_mean


def line_remarks(line: Line) -> Iterator[str]:
    """Notes on one line, each with what it would do to callers."""
    yield from _unknown_voices(line)
    yield from _intents_that_lead_nowhere_else(line)
    yield from _unused_destinations(line)
    yield from _intents_without_words(line)


def _unknown_voices(line: Line) -> Iterator[str]:
    for spoken in line.spoken:
        if spoken.voice is not None and speaks(spoken.voice, spoken.language) is None:
            yield f"line {line.number}: whether {spoken.voice} speaks {spoken.language} is not known here; ring it once"


def _intents_that_lead_nowhere_else(line: Line) -> Iterator[str]:
    """A misspelt intent is no mistake, as intents need no entry; but its calls all go to the default destination."""
    for option in line.menu.options if line.menu else ():
        meant = did_you_mean(option.intent, line.intents)
        if option.intent not in line.intents and meant:
            yield f"line {line.number}: the menu's {option.intent} is not among intents{meant}"


def _unused_destinations(line: Line) -> Iterator[str]:
    unused = [name for name in line.destinations if name not in set(names_in_use(line))]
    if unused:
        yield f"line {line.number}: no call goes to the destinations {', '.join(unused)}"


def _intents_without_words(line: Line) -> Iterator[str]:
    """Names of intents are English; elsewhere they are read aloud as if they were not."""
    chosen = [option.intent for option in line.menu.options] if line.menu else []
    for spoken in line.spoken:
        tag = spoken.language.partition("-")[0]
        dumb = [name for name in chosen if not {tag, spoken.language} & set(_said(line, name))]
        if tag != "en" and dumb:
            names = ", ".join(dumb)
            yield f"line {line.number}: {names} will be read aloud like this in {spoken.language}; see intents, `said`"


def _said(line: Line, intent: str) -> Iterator[str]:
    yield from line.intents[intent].said if intent in line.intents else ()
