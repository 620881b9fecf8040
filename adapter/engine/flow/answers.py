"""What a caller answered by keys or words: digits, an account number, yes or no.

Leaves out: names (`names`), the menu (`menu`), and what follows from an answer (`hearing`).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final

from adapter.engine.line import Confirm, ProofKind
from adapter.engine.model import Turn

from .words import vocabulary, without, words

_YES_KEY: Final = "1"
_NO_KEY: Final = "2"
_DIGITS: Final = frozenset("0123456789")
_CHARACTERS: Final = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyz")
_SPELLED: Final = re.compile(r"\b[A-Z]{2,3}\b")
_LONGEST_ACCOUNT: Final = 64  # characters


def is_silent(turn: Turn) -> bool:
    """Neither a key nor a word."""
    return not turn.digits and not turn.speech.strip()


def digits(turn: Turn, language: str) -> str:
    """The digits that were keyed in, nothing else of it; or said ("1 2 3", "my PIN is one two three") and nothing else
    with them: a sentence that has a number in it is no answer, it must not count as a wrong one."""
    return _only_digits(turn.digits) if turn.digits else _told(turn.speech, language, _DIGITS.issuperset)


def account(turn: Turn, length: int | None, language: str) -> str:
    """The account number that was keyed in or said, upper case without spaces and dashes; "" where there is none that
    can be one: it has a digit, at most 64 characters, and exactly `length` digits where that is given."""
    value = _only_digits(turn.digits) if turn.digits else _account_told(turn.speech, language)
    if not _DIGITS.intersection(value) or len(value) > _LONGEST_ACCOUNT:
        return ""
    if length is not None and (len(value) != length or not _DIGITS.issuperset(value)):
        return ""
    return value


def yes_or_no(turn: Turn, language: str) -> bool | None:
    """Key 1 or 2, or the words of the language; None for neither, and for both at once."""
    if turn.digits:
        return {_YES_KEY: True, _NO_KEY: False}.get(turn.digits)
    said, known = set(words(turn.speech)), vocabulary(language)
    yes, no = not said.isdisjoint(known.yes), not said.isdisjoint(known.no)
    return yes if yes is not no else None


def expected(confirm: Confirm, secret: str) -> str:
    """The digits that prove it: the last ones of an account number, or the whole PIN; "" where it has not enough of
    them to be keyed in."""
    if confirm.by is ProofKind.DIGITS:
        tail = _only_digits(secret)[-confirm.digits :]
        return tail if len(tail) == confirm.digits else ""
    pin = "".join(secret.replace("-", " ").split())
    return pin if _DIGITS.issuperset(pin) else ""


def is_same(given: str, secret: str) -> bool:
    """In a time that does not tell where they differ. Nothing is never the same as nothing."""
    return bool(given) and hmac.compare_digest(given.encode(), secret.encode())


def _only_digits(text: str) -> str:
    return "".join(character for character in text if character in _DIGITS)


def _told(speech: str, language: str, belongs: Callable[[str], bool]) -> str:
    """What was said, digit words as digits, without what introduces it; "" unless every word belongs to it."""
    known = vocabulary(language)
    said = [known.digits.get(word, word) for word in without(known.before_number, words(speech))]
    return "".join(said) if all(map(belongs, said)) else ""


def _account_told(speech: str, language: str) -> str:
    """Letters together are a word, but for a few that speech recognition wrote as an abbreviation ("AB 1234")."""
    spelled = {group.casefold() for group in _SPELLED.findall(speech)}
    return _told(speech, language, lambda word: _is_of_account(word) or word in spelled).upper()


def _is_of_account(word: str) -> bool:
    """Digits, a letter, or both run together ("K47")."""
    return _CHARACTERS.issuperset(word) and (len(word) == 1 or not _DIGITS.isdisjoint(word))
