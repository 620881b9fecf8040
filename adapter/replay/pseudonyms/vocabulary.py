"""What a configuration makes harmless: its own numbers and addresses, and the words of its texts, menus and intents.

Leaves out: words that mean something everywhere (`harmless`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapter.engine.flow.resuming import CALLBACK_INTENT
from adapter.engine.flow.words import vocabulary as understood
from adapter.engine.line import Destination, Line, fits
from adapter.twilio.words import BUILT_IN

from .harmless import SPOKEN
from .words import folded

_TEMPLATE: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORDS: Final = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_WORD: Final = re.compile(r"[^\W\d_]+")
_FIGURES: Final = re.compile(r"\d[\d ().\-/]*\d")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`words`: folded words that stay in what is said to callers, `listened` in what they say, `variables`: of
    the names under which something is kept. `kept`: values that stay as they are, `phrases` only in what is said.

    `dialed`: the numbers of the lines as they are written, with patterns. `names`: external ids that are called so are
    nobody's, in lower case. `proofs`: what callers prove themselves by is called so, and stays, or a replay would go
    another way.
    """

    words: frozenset[str]
    kept: frozenset[str] = frozenset()
    listened: frozenset[str] = frozenset()
    phrases: frozenset[str] = frozenset()
    dialed: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    proofs: frozenset[str] = frozenset()

    def are_alike(self, one: str, other: str) -> bool:
        """Whether the same lines answer both numbers."""
        return all(fits(written, one) == fits(written, other) for written in self.dialed)


def vocabulary(
    lines: Iterable[Line] = (),
    texts: Mapping[str, Mapping[str, str]] | None = None,
    kept: Iterable[str] = (),
    names: Iterable[str] = (),
) -> Vocabulary:
    """Of these lines and texts by language, on top of the built-in texts. `kept`: further values that stay, such as the
    public address of the service. `names`: keys of external ids that stay (`identity.never_identifying_keys`)."""
    lines = tuple(lines)
    templates = [*_templates(texts or {}), *(text for line in lines for text in line.texts.values())]
    spoken = [piece for text in templates for piece in _pieces(text)]
    named = [part for line in lines for part in _named(line)]
    heard = [*_understood(), *(part for line in lines for part in _listened(line))]
    variables = [name for line in lines for name in _variables(line)]
    words = _words([*spoken, *named, *heard, *variables, *SPOKEN])
    figures = {found for text in (*spoken, *named, *heard) for found in _FIGURES.findall(text)}
    own = {value for line in lines for value in _own(line)}
    return Vocabulary(
        words,
        frozenset({*own, *figures, *kept} - {"", "*"}),
        _words([*heard, *SPOKEN]),
        frozenset(filter(None, map(_phrase, (*spoken, *named, *heard, *variables)))),
        frozenset(line.number for line in lines),
        _words(variables),
        frozenset(names),
        frozenset(name for line in lines for name in _proofs(line)),
    )


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(word) for text in texts for word in _WORD.findall(text))


def _understood() -> Iterator[str]:
    """What is listened for in an answer: without it a caller would not be understood any more."""
    for code in BUILT_IN:
        language = understood(code)
        yield from (*language.yes, *language.no, *language.before_name, *language.before_number)


def _templates(texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for language in (*BUILT_IN.values(), *texts.values()):
        yield from language.values()


def _pieces(template: str) -> Iterator[str]:
    """What stands between a template's values, and in quotation marks within its tags."""
    yield from _TEMPLATE.split(template)
    for tag in _TEMPLATE.findall(template):
        yield from (quoted[1:-1] for quoted in _QUOTED.findall(tag))


def _phrase(piece: str) -> str:
    """As it is spoken, "" where it has no word of its own."""
    spoken = unicodedata.normalize("NFC", " ".join(piece.split()))
    found = _WORDS.search(spoken)
    return found[0] if found else ""


def _named(line: Line) -> Iterator[str]:
    """Names of the configuration, as they are written and as they are spoken."""
    names = (*line.intents, *line.destinations, *line.disclosure.intents, CALLBACK_INTENT)
    options = line.menu.options if line.menu else ()
    for name in (*names, *(option.intent for option in options), *([line.forget.intent] if line.forget else [])):
        yield from (name, name.replace("_", " "))
    for rule in line.intents.values():
        yield from rule.said.values()


def _listened(line: Line) -> Iterator[str]:
    """What callers choose by."""
    for option in line.menu.options if line.menu else ():
        yield from (option.intent.replace("_", " "), *option.words)
    for rule in line.intents.values():
        yield from rule.said.values()


def _variables(line: Line) -> Iterator[str]:
    """Names under which something is kept for this line's conversation."""
    yield from (*line.disclosure.variables, line.language_variable, *_proofs(line))


def _proofs(line: Line) -> Iterator[str]:
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
