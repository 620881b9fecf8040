"""What a caller is told, as text: built-in texts in four languages, and an operator's own in place of any of them.

A template may branch on and print the facts of its text, and nothing else: no loops, calls, attributes or macros, so
that no template can take long. No value (a caller's name is a stranger's word) is ever read as a template.
Leaves out: TwiML and its escaping (`twiml`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

Templates = Mapping[str, str]
Fact = str | int | None


class TextFailed(Exception):
    """A text that cannot be spoken. The message names the template's fault and no value."""


LONGEST_GREETING: Final = 499  # Twilio's limit depends on the voice; under 500 every voice speaks it
LONGEST_TEMPLATE: Final = 2_000  # characters of source
_LONGEST_VALUE: Final = 128  # the API's own limit for an intent; nobody's name is longer

# What each text may mention (`adapter.engine.flow`): only whom we know well enough is told anything.
FACTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "reuse": frozenset({"name", "intent", "attempt_count"}),
        "confirm": frozenset(),
        "ignore": frozenset(),
        "neutral": frozenset(),
    }
)

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

_ALLOWED_NODES: Final = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Test,
    nodes.Filter,
)


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
        template = _template(name, self._source(name, language, own or {}))
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


def problems(templates: Templates) -> list[str]:
    """What is wrong with an operator's texts of one language or line, as `name: what`; [] when all can be spoken."""
    return [f"{name}: {fault}" for name, source in templates.items() if (fault := _fault(name, source))]


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


def _fault(name: str, source: str) -> str | None:
    try:
        _template(name, source)
    except TextFailed as error:
        return str(error)
    return None


def _template(name: str, source: str) -> Template:
    if name not in FACTS:
        raise TextFailed(f"no such text; there are {', '.join(sorted(FACTS))}")
    template, mentioned = _compiled(source)
    if unknown := sorted(mentioned - FACTS[name]):
        raise TextFailed(f"{', '.join(unknown)} cannot be mentioned here")
    return template


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


@lru_cache(maxsize=1_024)
def _compiled(source: str) -> tuple[Template, frozenset[str]]:
    """A template, and the names it mentions. Raises TextFailed for what is no template or does more than speak."""
    if len(source) > LONGEST_TEMPLATE:
        raise TextFailed(f"longer than {LONGEST_TEMPLATE} characters")
    try:
        tree = _environment().parse(source)
        names = frozenset(_names(tree))
        return _environment().from_string(source), names
    except (TemplateError, ValueError, RecursionError) as error:
        raise TextFailed(f"not a template: {error}") from None


def _names(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED_NODES):
            raise TextFailed(f"{type(node).__name__.lower()} is not allowed in a text")
        if isinstance(node, nodes.Name):
            yield node.name


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    """No autoescape: the TwiML builder escapes, and twice would be heard. A misspelt fact fails (StrictUndefined)."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_or_silence)
    environment.filters.clear()
    environment.filters.update(_FILTERS)
    return environment


def _or_silence(value: object) -> object:
    """Without it a template that prints an unknown name says "None"."""
    return "" if value is None else value


def _of_text(change: Callable[[str], str]) -> Callable[[object], object]:
    return lambda value: change(value) if isinstance(value, str) else value


# All that there are. None makes a text longer than what goes in, as Jinja's `replace` and `center` do.
_FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "capitalize": _of_text(str.capitalize),
    "lower": _of_text(str.lower),
    "title": _of_text(str.title),
    "trim": _of_text(str.strip),
    "upper": _of_text(str.upper),
    "default": lambda value, instead: instead if value is None else value,
}
