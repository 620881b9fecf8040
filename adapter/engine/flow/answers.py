"""What a caller answered by keys or words: digits, an account number, yes or no.

Leaves out: names (`names`), the menu (`menu`), and what follows from an answer (`hearing`).
"""

from __future__ import annotations

import hmac
from typing import Final

from adapter.engine.line import Confirm, ProofKind
from adapter.engine.model import Turn

from .words import vocabulary, without, words

_YES_KEY: Final = "1"
_NO_KEY: Final = "2"
_DIGITS: Final = frozenset("0123456789")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
_LONGEST_ACCOUNT: Final = 64  # characters


def is_silent(turn: Turn) -> bool:
    """Neither a key nor a word."""
    return not turn.digits and not turn.speech.strip()


def digits(turn: Turn, language: str) -> str:
    """The digits that were keyed in or said ("1 2 3", "one two three"), nothing else of it."""
    if turn.digits:
        return _only_digits(turn.digits)
    names = vocabulary(language).digits
    return "".join(names.get(word) or _only_digits(word) for word in words(turn.speech))


def account(turn: Turn, length: int | None, language: str) -> str:
    """The account number that was keyed in or said, upper case without spaces and dashes; "" where there is none that
    can be one: it has a digit, at most 64 characters, and exactly `length` digits where that is given."""
    value = _only_digits(turn.digits) if turn.digits else _said_account(turn.speech, language)
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


def _said_account(speech: str, language: str) -> str:
    known = vocabulary(language)
    said = without(known.before_account, words(speech))
    characters = "".join(known.digits.get(word, word) for word in said)
    return "".join(c for c in characters if c in _DIGITS or c in _LETTERS).upper()
