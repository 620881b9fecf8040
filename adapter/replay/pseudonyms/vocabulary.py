"""What a configuration makes harmless: its own numbers and addresses, and the words of its texts, menus and intents.

Leaves out: words that mean something everywhere (`harmless`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapter.engine.flow.words import vocabulary as understood
from adapter.engine.line import Destination, Line, fits
from adapter.twilio.words import BUILT_IN

from .harmless import SPOKEN
from .words import folded

_TEMPLATE: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_WORD: Final = re.compile(r"[^\W\d_]+")
_FIGURES: Final = re.compile(r"\d[\d ().\-/]*\d")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`words`: folded words that stay in what is said and heard. `kept`: values that stay as they are. `dialed`: the
    numbers of the lines as they are written, with patterns."""

    words: frozenset[str]
    kept: frozenset[str] = frozenset()
    dialed: frozenset[str] = frozenset()

    def are_alike(self, one: str, other: str) -> bool:
        """Whether the same lines answer both numbers."""
        return all(fits(written, one) == fits(written, other) for written in self.dialed)


def vocabulary(
    lines: Iterable[Line] = (), texts: Mapping[str, Mapping[str, str]] | None = None, kept: Iterable[str] = ()
) -> Vocabulary:
    """Of these lines and texts by language, on top of the built-in texts. `kept`: further values that stay, such as the
    public address of the service."""
    lines = tuple(lines)
    said = [*_templates(texts or {}), *(part for line in lines for part in _said(line)), *_understood()]
    words = {folded(word) for text in said for word in _WORD.findall(text)}
    figures = {found for text in said for found in _FIGURES.findall(text)}
    own = {value for line in lines for value in _own(line)}
    return Vocabulary(
        frozenset(words | {folded(word) for word in SPOKEN}),
        frozenset({*own, *figures, *kept} - {"", "*"}),
        frozenset(line.number for line in lines),
    )


def _understood() -> Iterator[str]:
    """What is listened for in an answer: without it a caller would not be understood any more."""
    for code in BUILT_IN:
        language = understood(code)
        yield from (*language.yes, *language.no, *language.before_name, *language.before_number)


def _templates(texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for language in (*BUILT_IN.values(), *texts.values()):
        for text in language.values():
            yield _TEMPLATE.sub(" ", text)


def _said(line: Line) -> Iterator[str]:
    yield from (_TEMPLATE.sub(" ", text) for text in line.texts.values())
    yield from (name.replace("_", " ") for name in (*line.intents, *line.destinations, *line.disclosure.variables))
    yield from (name.replace("_", " ") for name in _variables(line))
    yield from line.disclosure.intents
    for rule in line.intents.values():
        yield from rule.said.values()
    for option in line.menu.options if line.menu else ():
        yield from (option.intent.replace("_", " "), *option.words)


def _variables(line: Line) -> Iterator[str]:
    """Names under which something is kept for this line's conversation."""
    yield line.language_variable
    if line.confirm is not None:
        yield from (line.confirm.variable, line.confirm.external_id)
    if line.identify is not None:
        yield line.identify.key


def _own(line: Line) -> Iterator[str]:
    yield line.number
    yield line.key  # which names it in addresses
    yield from (each.language for each in line.languages)
    for destination in (line.destination, *line.destinations.values()):
        yield from _addresses(destination)


def _addresses(destination: Destination) -> Iterator[str]:
    """A sip: address as a whole and without its parameters, as a TwiML document may add to it."""
    yield destination.target
    yield destination.target.partition("?")[0]
    yield destination.target.partition(";")[0]
