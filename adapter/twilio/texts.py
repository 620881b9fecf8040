"""What a caller is told, as text: the built-in one (`words`), or an operator's own in place of it.

No value (a caller's name is a stranger's word) is ever read as a template.
Leaves out: what a template may do (`templates`), TwiML and its escaping (`twiml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from jinja2 import Template

from adapter.engine.flow import Fact

from .templates import FACTS, MAY_MENTION_VARIABLES, TextFailed, compiled
from .trials import NOT_SPOKEN
from .words import BUILT_IN

Templates = Mapping[str, str]

LONGEST_TEXT: Final = 499  # Twilio's limit depends on the voice; under 500 every voice speaks it
_LONGEST_VALUE: Final = 128  # the API's own limit for an intent; nobody's name is longer

# XML 1.0, Char. twilio-python lets the rest through, no parser accepts it, and the call drops (Twilio error 12100).
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Texts:
    """The texts of all languages: `overrides[language][name]` in place of the built-in ones."""

    def __init__(self, overrides: Mapping[str, Templates] | None = None) -> None:
        own = {tag(language): templates for language, templates in (overrides or {}).items()}
        self._languages = {
            language: {**BUILT_IN.get(language, {}), **own.get(language, {})} for language in {*own, *BUILT_IN}
        }

    def compose(self, name: str, language: str, facts: Mapping[str, Fact], own: Templates | None = None) -> str:
        """The text `name` with `facts` in it, at most LONGEST_TEXT characters, fit for XML, "" for silence.

        Looked for in `own` (the line's texts), then in the language ("de-AT"), its base ("de"), then English.
        Raises TextFailed when there is none or it cannot be rendered.
        """
        template = compiled(name, self._source(name, language, own or {}), _variables(name, facts))
        return shortened(_render(template, facts), LONGEST_TEXT)

    def _source(self, name: str, language: str, own: Templates) -> str:
        for templates in (own, *self._in(language)):
            if name in templates:
                return templates[name]
        raise TextFailed("no such text")

    def _in(self, language: str) -> Iterator[Templates]:
        whole = tag(language)
        for known in (whole, whole.partition("-")[0], "en"):
            yield self._languages.get(known, {})


def plain(text: str) -> str:
    """Only characters that XML 1.0 allows, runs of white space as one space, none at the ends."""
    return " ".join(_NOT_XML.sub("", text).split())


def shortened(text: str, limit: int) -> str:
    """`plain`, cut to `limit` characters, after a word where there is one."""
    # Cut before cleaning: a value of a megabyte should cost no more than one of a kilobyte.
    clean = plain(text[: 8 * limit])
    if len(clean) <= limit:
        return clean
    return clean[: limit + 1].rpartition(" ")[0] or clean[:limit]


def tag(language: str) -> str:
    """A language's name in one spelling, for comparison: "de_AT" is "de-at"."""
    return language.strip().casefold().replace("_", "-")


def _variables(name: str, facts: Mapping[str, Fact]) -> frozenset[str]:
    """The facts that are declared variables: a step carries all that its text may mention."""
    return frozenset(facts) - FACTS[name] if name in MAY_MENTION_VARIABLES else frozenset()


def _render(template: Template, facts: Mapping[str, Fact]) -> str:
    try:
        return template.render({fact: _speakable(value) for fact, value in facts.items()})
    except NOT_SPOKEN as error:
        raise TextFailed(type(error).__name__) from None


def _speakable(value: Fact) -> Fact:
    """Numbers as they are; words cleaned and bounded, None where nothing is left, so that `if name` can tell."""
    if isinstance(value, str):
        return shortened(value, _LONGEST_VALUE) or None
    return value if isinstance(value, int) else None
