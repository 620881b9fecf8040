"""What is not wrong with a line, but probably not meant: worth a note before callers find out.

Leaves out: mistakes, which stop the start (`references`, `flow_references`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.engine.line import DestinationKind, Line
from adapter.twilio.voices import is_spoken, speaks, spoken_in

from .lines import names_in_use
from .missing_texts import missing_texts
from .settings import Config
from .suggestions import did_you_mean


def remarks(config: Config) -> Iterator[str]:
    """Notes on the lines, those on all of them first."""
    yield from _any_account(config)
    yield from _numbers_that_may_come_back(config)
    for line in config.lines:
        yield from line_remarks(line)
        yield from _languages_without_texts(line, config.texts)


def line_remarks(line: Line) -> Iterator[str]:
    """Notes on one line, each with what it would do to callers."""
    yield from _unknown_voices(line)
    yield from _languages_without_country(line)
    yield from _intents_that_lead_nowhere_else(line)
    yield from _unused_destinations(line)
    yield from _intents_without_words(line)


def _any_account(config: Config) -> Iterator[str]:
    """With one organization, whoever calls it as whose number hears only what is that organization's."""
    accounts = [account.sid for account in config.twilio.accounts]
    for line in config.lines if len(accounts) > 1 else ():
        if line.account == "*":
            yield f"line {line.number}: answers for each of the {len(accounts)} accounts; name the one it belongs to"


def _numbers_that_may_come_back(config: Config) -> Iterator[str]:
    """What a line with number "*" answers is known to Twilio alone."""
    if not any(line.number == "*" for line in config.lines):
        return
    for line in config.lines:
        for destination in (line.destination, *line.destinations.values()):
            if destination.kind is DestinationKind.DIAL:
                yield f"dial {destination.target}: if it is a number of yours, line * answers it and it comes back"


def _languages_without_country(line: Line) -> Iterator[str]:
    """With a voice, it is the voice that is judged."""
    for spoken in line.spoken:
        if spoken.voice is None and not is_spoken(spoken.language):
            known = ", ".join(spoken_in(spoken.language))
            yield f"line {line.number}: {spoken.language} is not a known language of Twilio; write one of {known}"


def _languages_without_texts(line: Line, texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for language, missing in missing_texts(line, texts):
        names = ", ".join(missing)
        yield f"line {line.number}: callers hear English in {language}, as it has no text for {names}; see texts"


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
