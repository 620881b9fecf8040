"""What callers and agents are told, in four languages: a template for each name of `templates.FACTS`, written for the
ear. One module a language. Leaves out: rendering (`texts`) and what a template may do (`templates`)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import de, en, es, fr

BUILT_IN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"en": en.WORDS, "de": de.WORDS, "es": es.WORDS, "fr": fr.WORDS}
)
