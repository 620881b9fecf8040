"""`sticky-calls preview`: what callers would hear on each line, from the configuration alone."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from adapter.cli.configured import config_option, configured
from adapter.cli.shown import AS_JSON
from adapter.config import Config
from adapter.engine.flow.menu import called
from adapter.engine.flow.sampling import intents_of
from adapter.engine.line import Line, Spoken
from adapter.engine.model import Place
from adapter.twilio.twiml import Speaker
from adapter.twilio.voices import spoken_in

from .steps import Heard, Remembered, Way, heard
from .words import HEADINGS, destination_in_words, indented, said_in, then_in_words, way_in_words

# What goes into a file or a pipe has no width of its own; this one fits a page.
_PAGE_WIDTH: Final = 100
_LEFT_WIDTH: Final = 24
# What is told to who answers has no place of its own: it belongs to the hand-over.
_WHISPER: Final = "whisper"
_STEPS: Final = (*(place.value for place in Place), _WHISPER)


@click.command(epilog="Example:  sticky-calls preview --config config.yaml --step confirm --twiml")
@click.option("--line", "number", help="Only the line of this number, as it is written in the configuration.")
@click.option("--step", type=click.Choice(_STEPS), help="Only this step of the call; whisper: what who answers hears.")
@click.option("--language", help="As if the lines spoke this language alone.")
@click.option("--name", default="Maria", show_default=True, help="The known caller's name, on lines that ask nothing.")
@click.option("--intent", default="refund_request", show_default=True, help="What that caller left open.")
@click.option("--twiml", is_flag=True, help="Show the TwiML that Twilio gets, too.")
@AS_JSON
@config_option
def preview(
    number: str | None,
    step: str | None,
    language: str | None,
    name: str,
    intent: str,
    twiml: bool,
    as_json: bool,
    path: Path | None,
) -> None:
    """Show what callers would hear on each line, how they come to it, and where their calls go.

    Reads the configuration, nothing else. What different ways lead to is shown once, with the shortest way.
    """
    config = configured(path)
    speaker = Speaker(config.texts, config.twilio.public_url or "")
    rows: list[dict[str, object]] = []
    for line in _chosen(config, number):
        spoken = _in_language(line, language)
        # A line that asks much in several languages takes a while.
        with Console(stderr=True).status(f"Line {line.number}: going through every conversation …"):
            wanted = [each for each in _told(spoken, speaker, Remembered(name, intent)) if _is_wanted(each, step)]
        rows += [each.row for each in wanted]
        if not as_json:
            click.echo("\n".join(_page(spoken, wanted, twiml)))
            if step == _WHISPER and not wanted:
                click.echo("  nothing is told to who answers; set `whisper: true` at a destination")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _chosen(config: Config, number: str | None) -> list[Line]:
    if not config.lines:
        raise click.ClickException("there is no line to preview; add one under `lines` (see config.example.yaml)")
    chosen = [line for line in config.lines if number in (None, line.number)]
    if not chosen:
        there = ", ".join(line.number for line in config.lines)
        raise click.ClickException(f"there is no line {number}; write one of {there}")
    return chosen


def _in_language(line: Line, language: str | None) -> Line:
    """The line as if it spoke this language alone, with the voice that it has for it."""
    if language is None:
        return line
    exact = (each for each in line.spoken if each.language == language)
    near = (each for each in line.spoken if each.language.partition("-")[0] == language)
    own = next(exact, None) or next(near, None)
    if own is None and not spoken_in(language):
        raise click.UsageError("--language is none that Twilio speaks; write one that it does, as en, es-MX or de-DE")
    own = own or Spoken(language)
    return replace(line, language=own.language, voice=own.voice, languages=())


@dataclass(frozen=True, slots=True)
class _Told:
    """One thing that callers can hear, in words."""

    line: Line
    place: Place
    language: str
    ways: tuple[Way, ...]
    says: str
    then: str
    agent: str
    twiml: str

    @property
    def row(self) -> dict[str, object]:
        """For scripts."""
        way = self.ways[0]
        return {
            "line": self.line.number,
            "language": self.language,
            "step": self.place.value,
            "caller": way.path[0],
            "path": list(way.path),
            "ways": len(self.ways),
            "recommendation": way.recommendation,
            "says": self.says,
            "then": self.then,
            "agent": self.agent,
            "twiml": self.twiml,
        }


def _told(line: Line, speaker: Speaker, remembered: Remembered) -> list[_Told]:
    """Once for the same words: facts that a text does not mention make no difference to who hears it."""
    told = (_in_words(each, line, speaker) for each in heard(line, remembered))
    return _once(told, lambda each: (each.place, each.language, each.says, each.then, each.agent))


def _once(told: Iterable[_Told], key_of: Callable[[_Told], Hashable]) -> list[_Told]:
    """One for each key, with the ways of all that have it."""
    found: dict[Hashable, _Told] = {}
    for each in told:
        key = key_of(each)
        before = found.get(key)
        found[key] = replace(before, ways=before.ways + each.ways) if before else each
    return list(found.values())


def _about_anything(line: Line, told: Iterable[_Told]) -> list[_Told]:
    """For the page: what is said alike of several intents, and leads to the same, once, of the first of them."""
    spoken = (called(line, intent, each.language) for intent in intents_of(line) for each in line.spoken)
    names = re.compile("|".join(sorted(map(re.escape, spoken), key=len, reverse=True)))
    return _once(
        told,
        lambda each: (each.place, each.language, names.sub("…", each.says), each.then, names.sub("…", each.agent)),
    )


def _is_wanted(told: _Told, step: str | None) -> bool:
    return bool(told.agent) if step == _WHISPER else step in (None, told.place)


def _in_words(each: Heard, line: Line, speaker: Speaker) -> _Told:
    document = speaker.speak(each.step, line)
    agent = said_in(speaker.whisper(each.agent, line, each.step.turn)) if each.agent else ""
    language = each.language or line.spoken[0].language
    return _Told(line, each.place, language, each.ways, said_in(document), then_in_words(each.step), agent, document)


def _page(line: Line, told: Sequence[_Told], twiml: bool) -> Iterator[str]:
    languages = ", ".join(each.language for each in line.spoken)
    title = click.style(f"Line {line.number}", bold=True)
    yield f"\n{title}  ({languages}), then {destination_in_words(line.destination)}"
    audible = _about_anything(line, (each for each in told if each.says or each.agent))
    if not line.converses:
        for each in audible:
            yield from _beside_each_other(each, twiml)
        return
    for block, of_block in groupby(sorted(audible, key=_block), _block):
        if block and len(line.spoken) > 1:
            yield click.style(f"\n{' ' + line.spoken[block - 1].language + ' ':─^{_width()}}", dim=True)
        for _, of_step in groupby(of_block, key=lambda each: each.place):
            yield from _section(list(of_step), twiml)


def _block(told: _Told) -> int:
    """Several languages are told one after the other, behind the question for the language."""
    languages = [each.language for each in told.line.spoken]
    if told.place is Place.LANGUAGE or told.language not in languages:
        return 0
    return languages.index(told.language) + 1


def _section(told: Sequence[_Told], twiml: bool) -> Iterator[str]:
    thens = {each.then for each in told}
    common = thens.pop() if len(thens) == 1 else ""
    about = f"  [{told[0].place.value}]  {common}".rstrip()
    yield f"\n{click.style(HEADINGS[told[0].place], bold=True)}{click.style(about, dim=True)}"
    for each in told:
        yield from _wrapped(way_in_words(each.ways, each.language), 2, dim=True)
        yield from _heard(each, "" if common else each.then, 6)
        yield from _document(each, twiml)


def _heard(told: _Told, then: str, indent: int) -> Iterator[str]:
    yield from _wrapped(told.says, indent)
    if then:
        yield from _wrapped(f"→ {then}", indent, fg="cyan")
    if told.agent:
        yield from _wrapped(f"Who answers hears: {told.agent}", indent, fg="green")


def _beside_each_other(told: _Told, twiml: bool) -> Iterator[str]:
    """A line that asks nothing has a handful of rows: who calls, or what became of the call, and what they hear."""
    left = textwrap.wrap(way_in_words(told.ways, told.language).rpartition(" → ")[2], _LEFT_WIDTH)
    indent = _LEFT_WIDTH + 2
    then = "" if told.then == destination_in_words(told.line.destination) else told.then
    for who, what in zip_longest(left, _heard(told, then, indent), fillvalue=""):
        yield f"{click.style(f'{who:>{_LEFT_WIDTH}}', dim=True)}  {what.strip()}".rstrip()
    yield from _document(told, twiml)


def _document(told: _Told, twiml: bool) -> Iterator[str]:
    if twiml:
        yield click.style(textwrap.indent(indented(told.twiml), " " * 6), dim=True)


def _wrapped(text: str, indent: int, fg: str | None = None, dim: bool | None = None) -> Iterator[str]:
    for part in textwrap.wrap(text, _width() - indent):
        yield " " * indent + (click.style(part, fg=fg, dim=dim) if fg or dim else part)


def _width() -> int:
    return min(shutil.get_terminal_size((_PAGE_WIDTH, 0)).columns, 140) if sys.stdout.isatty() else _PAGE_WIDTH
