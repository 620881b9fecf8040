"""What a caller is told, as text: built-in texts in four languages, and an operator's own in place of any of them.

No value (a caller's name is a stranger's word) is ever read as a template.
Leaves out: what a template may do (`templates`), TwiML and its escaping (`twiml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from jinja2 import Template, TemplateError

from .templates import TextFailed, compiled

Templates = Mapping[str, str]
Fact = str | int | None


LONGEST_GREETING: Final = 499  # Twilio's limit depends on the voice; under 500 every voice speaks it
_LONGEST_VALUE: Final = 128  # the API's own limit for an intent; nobody's name is longer

BUILT_IN: Final[Mapping[str, Templates]] = MappingProxyType(
    {
        "en": {
            "reuse": (
                "Welcome back{% if name %}, {{ name }}{% endif %}."
                "{% if intent %} We are still working on your {{ intent }}.{% endif %} One moment, please."
            ),
            "confirm": (
                "Hello, and thank you for calling. The person who takes your call will ask you to confirm who you are."
                " One moment, please."
            ),
            "ignore": "Hello and welcome. Thank you for calling us. One moment, please.",
            "neutral": "Welcome. One moment, please.",
        },
        "de": {
            "reuse": (
                "Willkommen zurück{% if name %}, {{ name }}{% endif %}."
                "{% if intent %} Ihr Anliegen {{ intent }} ist noch offen.{% endif %} Einen Moment, bitte."
            ),
            "confirm": (
                "Guten Tag und danke für Ihren Anruf. Wer Ihren Anruf entgegennimmt, wird Sie bitten, sich auszuweisen."
                " Einen Moment, bitte."
            ),
            "ignore": "Guten Tag und herzlich willkommen. Danke für Ihren Anruf. Einen Moment, bitte.",
            "neutral": "Willkommen. Einen Moment, bitte.",
        },
        "es": {
            "reuse": (
                "Hola de nuevo{% if name %}, {{ name }}{% endif %}."
                "{% if intent %} Su consulta sobre {{ intent }} sigue abierta.{% endif %} Un momento, por favor."
            ),
            "confirm": (
                "Hola y gracias por llamar. La persona que le atienda le pedirá que confirme su identidad."
                " Un momento, por favor."
            ),
            "ignore": "Hola, le damos la bienvenida. Gracias por llamarnos. Un momento, por favor.",
            "neutral": "Le damos la bienvenida. Un momento, por favor.",
        },
        "fr": {
            "reuse": (
                "Heureux de vous retrouver{% if name %}, {{ name }}{% endif %}."
                "{% if intent %} Votre demande {{ intent }} reste ouverte.{% endif %} Un instant, s'il vous plaît."
            ),
            "confirm": (
                "Bonjour et merci de votre appel. La personne qui vous répondra vous demandera qui vous êtes."
                " Un instant, s'il vous plaît."
            ),
            "ignore": "Bonjour et bienvenue. Merci de nous appeler. Un instant, s'il vous plaît.",
            "neutral": "Bienvenue. Un instant, s'il vous plaît.",
        },
    }
)

# XML 1.0, Char. twilio-python lets the rest through, no parser accepts it, and the call drops (Twilio error 12100).
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Texts:
    """The texts of all languages: `overrides[language][name]` in place of the built-in ones."""

    def __init__(self, overrides: Mapping[str, Templates] | None = None) -> None:
        own = {_tag(language): templates for language, templates in (overrides or {}).items()}
        self._languages = {
            language: {**BUILT_IN.get(language, {}), **own.get(language, {})} for language in {*own, *BUILT_IN}
        }

    def compose(self, name: str, language: str, facts: Mapping[str, Fact], own: Templates | None = None) -> str:
        """The text `name` with `facts` in it, at most LONGEST_GREETING characters, fit for XML, "" for silence.

        Looked for in `own` (the line's texts), then in the language ("de-AT"), its base ("de"), then English.
        Raises TextFailed when there is none or it cannot be rendered.
        """
        template = compiled(name, self._source(name, language, own or {}))
        return shortened(_render(template, facts), LONGEST_GREETING)

    def _source(self, name: str, language: str, own: Templates) -> str:
        for templates in (own, *self._in(language)):
            if name in templates:
                return templates[name]
        raise TextFailed("no such text")

    def _in(self, language: str) -> Iterator[Templates]:
        tag = _tag(language)
        for known in (tag, tag.partition("-")[0], "en"):
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


def _tag(language: str) -> str:
    return language.strip().casefold().replace("_", "-")


def _render(template: Template, facts: Mapping[str, Fact]) -> str:
    try:
        return template.render({fact: _speakable(value) for fact, value in facts.items()})
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise TextFailed(type(error).__name__) from None


def _speakable(value: Fact) -> Fact:
    """Numbers as they are; words cleaned and bounded, None where nothing is left, so that `if name` can tell."""
    if isinstance(value, str):
        return shortened(value, _LONGEST_VALUE) or None
    return value if isinstance(value, int) else None
