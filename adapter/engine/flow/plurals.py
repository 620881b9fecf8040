"""Whether two words are one word in singular and plural, in four languages. Cautious: in doubt they are two words.

Compares endings, not meanings; words that mean something else in the plural are listed. Leaves out: irregular plurals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .words import primary


@dataclass(frozen=True, slots=True)
class Ending:
    """A plural that ends in `plural` where its singular ends in `singular`, after at least `letters` others.

    `after`: what these others end in, `not_after`: what they do not.
    """

    singular: str
    plural: str
    letters: int
    after: tuple[str, ...] = ("",)
    not_after: tuple[str, ...] = ()


_HISSING: Final = ("s", "x", "z", "ch", "sh")
_VOWELS: Final = ("a", "e", "i", "o", "u")

_ENDINGS: Final[Mapping[str, tuple[Ending, ...]]] = MappingProxyType(
    {
        "en": (Ending("", "s", 4, not_after=("s", "u")), Ending("", "es", 3, after=_HISSING)),
        "de": (Ending("e", "en", 4), Ending("", "en", 5), Ending("", "e", 5)),
        "es": (Ending("", "s", 4, after=_VOWELS), Ending("", "es", 4, not_after=_VOWELS)),
        "fr": (Ending("", "s", 4, not_after=("s",)),),
    }
)
# The longer one means something else.
_OTHER_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "en": frozenset(("briefs", "customs", "glasses", "goods", "means", "shorts")),
        "de": frozenset(("schale",)),
        "es": frozenset(("antes", "gracias", "lentes", "esposas")),
        "fr": frozenset(("cours", "moins", "temps", "secours")),
    }
)


def is_same_word(one: str, other: str, language: str) -> bool:
    """`one` and `other` as `words` gives them. A language without endings has equal words only."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    tongue = primary(language)
    if longer in _OTHER_WORDS.get(tongue, ()):
        return False
    return any(_fits(each, shorter, longer) for each in _ENDINGS.get(tongue, ()))


def _fits(ending: Ending, singular: str, plural: str) -> bool:
    if not singular.endswith(ending.singular) or not plural.endswith(ending.plural):
        return False
    stem = singular.removesuffix(ending.singular)
    if len(stem) < ending.letters or plural.removesuffix(ending.plural) != stem:
        return False
    return stem.endswith(ending.after) and not (ending.not_after and stem.endswith(ending.not_after))
