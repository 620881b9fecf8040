"""Words, replaced by pronounceable ones that mean nothing: the same word is always the same, whoever says it.

Lengths stay in their class (1, 2 or 3, 4 to 7, 8 and more letters), as the comparing of names depends on it. Nearness
does not stay: that would tell names from each other's pseudonyms.
Accents and case do not count, so that “MÁLAGA”, “Malaga” and “málaga” stay one place; case is given back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from functools import lru_cache
from typing import Final

from .keyed import Key

_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
_LETTERS: Final = _CONSONANTS + _VOWELS
_LATIN: Final = "abcdefghijklmnopqrstuvwxyz"


def listed(text: str) -> frozenset[str]:
    """The words of a table that is written as a text."""
    return frozenset(text.split())


@lru_cache(maxsize=20_000)
def folded(word: str) -> str:
    """The word as it is compared: without accents and case."""
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def word(key: Key, text: str, taken: Container[str] = (), *, distinct: bool = False) -> str:
    """The pseudonym of one word, never one of `taken` (folded words that mean something) and never itself.

    `distinct`: not one to pronounce, but hardly ever that of another word, too: of ids, each is somebody else's.
    """
    plain = folded(text)
    draw = _drawn_distinct if distinct else _drawn
    attempt = 0
    drawn = draw(key, plain, attempt)
    while (drawn == plain or drawn in taken) and attempt < 50:
        attempt += 1
        drawn = draw(key, plain, attempt)
    return _in_case_of(text, drawn)


def _drawn(key: Key, plain: str, attempt: int) -> str:
    source = key.draw("word", f"{attempt}\0{plain}")
    length = _length(len(plain), source[0])
    if length == 1:
        return _LETTERS[source[1] % len(_LETTERS)]
    sets = (_CONSONANTS, _VOWELS)
    return "".join(sets[index % 2][source[index + 1] % len(sets[index % 2])] for index in range(length))


def _drawn_distinct(key: Key, plain: str, attempt: int) -> str:
    source = key.draw("id", f"{attempt}\0{plain}")
    length = max(len(plain), min(len(plain) + 4, 8))
    return "".join(_LATIN[each % len(_LATIN)] for each in source[:length])


def _length(length: int, byte: int) -> int:
    if length <= 1:
        return 1
    if length <= 3:
        return length
    # Not 4: so few words of four letters can be made that names would fall together.
    return 5 + byte % 3 if length <= 7 else 8 + byte % 4


def _in_case_of(text: str, drawn: str) -> str:
    if text.isupper():
        return drawn.upper() if len(text) > 1 else drawn.capitalize()
    return drawn.capitalize() if text[:1].isupper() else drawn
