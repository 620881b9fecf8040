"""Digits and codes, replaced character by character, from the end: what ends alike goes on ending alike.

So the last four digits of an account, keyed in, still are the last four of the account's pseudonym, and a number
written (415) 555-0123 fits the same one written +14155550123. Each length is mapped onto itself without collisions.
The price: who knows some numbers and their pseudonyms learns the ends of others. Leaves out: words (`words`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from adapter.engine.caller_id import read_ani

from .keyed import Key
from .words import listed

_DIGITS: Final = "0123456789"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SECOND_TO_NINTH: Final = "23456789"
_ONE_DIGIT: Final = frozenset({"1", "7"})
# ITU E.164, country codes of two digits; all others but +1 and +7 have three.
_TWO_DIGITS: Final = listed(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 "
    "84 86 90 91 92 93 94 95 98"
)
# What tells the class of a line, and stays. North America has it in the area code: free, paid, personal.
_AMERICAN_CLASSES: Final = listed("800 822 833 844 855 866 877 880 888 900 500")
_GERMAN_CLASSES: Final = re.compile(r"1[567]|[1-9]")
_JAPANESE_CLASSES: Final = re.compile(r"10|[1-9]")  # +8110…: no number at all, and recognized by that


def characters(key: Key, text: str, *, keep: int = 0, american: bool = False) -> str:
    """Letters and digits from index `keep` on replaced, everything between them kept. `american`: a number of North
    America stays one of the right form (no 0 or 1 where an area code or exchange begins)."""
    done: list[str] = []
    behind = ""
    place = 0
    for index in range(len(text) - 1, -1, -1):
        character = _plain(text[index])
        if index < keep or not character:
            done.append(text[index])
            continue
        alphabet = _alphabet(character, place if american else -1)
        drawn = key.cycle(alphabet, behind)[character]
        done.append(drawn.upper() if text[index].isupper() else drawn)
        behind = character + behind
        place += 1
    return "".join(reversed(done))


def number(key: Key, e164: str) -> str:
    """The pseudonym of +…: country code, length and class of line stay, and a dialable number stays dialable. What
    stands for a withheld number is nobody's and stays."""
    note = read_ani(e164).note
    if note == "withheld":
        return e164
    country = country_code(e164)
    found = _once(key, e164, country)
    # What stands for "withheld" must not come out by chance; going on is still one number for one number.
    while read_ani(found).note != note or found == e164:
        found = _once(key, found, country)
    return found


def digits(key: Key, text: str) -> str:
    """Digits with separators, in any spelling but with a plus. Ten that could be North America's are taken for it."""
    plain = "".join(character for character in map(_plain, text) if character)
    return characters(key, text, american=_is_american(plain))


def country_code(e164: str) -> str:
    """The digits of the country code; three for whatever is no known one."""
    for length, known in ((1, _ONE_DIGIT), (2, _TWO_DIGITS)):
        if e164[1 : 1 + length] in known:
            return e164[1 : 1 + length]
    return e164[1:4]


def _once(key: Key, e164: str, country: str) -> str:
    national = e164[1 + len(country) :]
    american = country == "1" and _is_american(national)
    return characters(key, e164, keep=1 + len(country) + len(_class_of(country, national)), american=american)


def _class_of(country: str, national: str) -> str:
    if country == "1":
        return national[:3] if national[:3] in _AMERICAN_CLASSES else ""
    pattern = {"49": _GERMAN_CLASSES, "81": _JAPANESE_CLASSES}.get(country)
    found = pattern.match(national) if pattern else None
    return found[0] if found else national[:1]


def _is_american(plain: str) -> bool:
    ten = plain[1:] if len(plain) == 11 and plain[0] == "1" else plain
    return len(ten) == 10 and ten.isdecimal() and ten[0] in _SECOND_TO_NINTH and ten[3] in _SECOND_TO_NINTH


def _alphabet(character: str, american_place: int) -> str:
    if not character.isdecimal():
        return _LETTERS
    return _SECOND_TO_NINTH if american_place in (6, 9) else _DIGITS


def _plain(character: str) -> str:
    """The ASCII letter or digit that stands for it, "" for what separates."""
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if not character.isalnum():
        return ""
    first = unicodedata.normalize("NFKD", character)[0].lower()
    # Other scripts: a letter all the same, and always the same one.
    return first if first in _LETTERS else _LETTERS[ord(character) % len(_LETTERS)]
