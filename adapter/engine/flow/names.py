"""Whether a caller said a name that is stored, as speech recognition writes names: nearly.

Leaves out: which names are compared and what follows (`hearing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .words import vocabulary, without, words

# Who says more than this beside the name may be listing names until one fits; more of them fit a single word.
_BESIDE_ONE_WORD: Final = 1
_BESIDE_SEVERAL: Final = 2
# (letters from, slips allowed): short names differ by one letter from other people's names.
_TOLERANCE: Final = ((8, 2), (4, 1), (0, 0))
# No name is longer; the distance of two words costs the product of their lengths.
_LONGEST_WORD: Final = 40


def says_something(speech: str, language: str) -> bool:
    """Whether there is more in it than "my name is"."""
    return bool(without(vocabulary(language).before_name, words(speech)))


def is_said(name: str, speech: str, language: str) -> bool:
    """Every word of the name must be heard, in any order and nearly right, among few others."""
    stored, heard = words(name), words(speech)
    introductions = vocabulary(language).before_name
    # Both ways, because a word that introduces a name in general may be a part of this one.
    others = [phrase for phrase in introductions if set(phrase.split()).isdisjoint(stored)]
    return any(_fits(stored, without(phrases, heard)) for phrases in (introductions, others))


def _fits(stored: Sequence[str], heard: Sequence[str]) -> bool:
    further = _BESIDE_ONE_WORD if len(stored) == 1 else _BESIDE_SEVERAL
    if not stored or len(heard) > len(stored) + further:
        return False
    return "".join(stored) == "".join(heard) or _all_heard(stored, heard)


def _all_heard(stored: Sequence[str], heard: Sequence[str]) -> bool:
    left = list(heard)
    for word in stored:
        nearest = min(left, key=lambda each: distance(word, each), default=None)
        if nearest is None or distance(word, nearest) > _allowed(word):
            return False
        left.remove(nearest)
    return True


def _allowed(word: str) -> int:
    return next(slips for letters, slips in _TOLERANCE if len(word) >= letters)


def distance(one: str, other: str) -> int:
    """Damerau-Levenshtein (optimal string alignment): letters left out, added, changed, or two swapped.

    Words that cannot be near each other, or longer than any name, count as different in every letter.
    """
    longest = max(len(one), len(other))
    if one == other:
        return 0
    if longest > _LONGEST_WORD or abs(len(one) - len(other)) > _TOLERANCE[0][1]:
        return longest
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, heard in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != heard))
            if i > 1 and j > 1 and (letter, heard) == (other[j - 2], one[i - 2]):
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]
