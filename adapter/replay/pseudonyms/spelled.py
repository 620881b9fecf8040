"""Numbers as callers say them, digit by digit: “one two three four” is 1234, keyed in or said.

Leaves out: numbers said as numbers (“twelve hundred”): those are words, and replaced like words.
"""

from __future__ import annotations

from typing import Final

from .words import folded

_SAID: Final = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
}
_ALSO: Final = {"oh": ("en", "0"), "zwo": ("de", "2"), "ein": ("de", "1"), "une": ("fr", "1"), "zero": ("en", "0")}


def _table() -> dict[str, tuple[str, str]]:
    said = {
        folded(each): (language, str(digit))
        for language, spoken in reversed(_SAID.items())
        for digit, each in enumerate(spoken.split())
    }
    return {**said, **_ALSO}


DIGITS_SAID: Final = _table()


def digit_said(plain: str) -> str:
    """The digit that a folded word says, "" for other words."""
    return DIGITS_SAID[plain][1] if plain in DIGITS_SAID else ""


def say(digit: str, like: str) -> str:
    """The digit in the language in which the folded word `like` says one."""
    return _SAID[DIGITS_SAID[like][0]].split()[int(digit)]
