"""How many different values there were: exact for so many, estimated to about 1 % beyond, in bounded memory.

Kept are the smallest of the values' hashes (K minimum values: Bar-Yossef et al., "Counting Distinct Elements", 2002).
"""

from __future__ import annotations

import hashlib
from bisect import insort
from dataclasses import dataclass, field
from typing import Final

_MOST_KEPT: Final = 10_000
_BITS: Final = 64


@dataclass(slots=True)
class Distinct:
    """Counts values by their hash; keeps none of them."""

    _smallest: list[int] = field(default_factory=list)
    _kept: set[int] = field(default_factory=set)

    def add(self, value: str) -> None:
        """One more, unless it was there before."""
        drawn = int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=_BITS // 8).digest())
        if drawn in self._kept or (len(self._smallest) == _MOST_KEPT and drawn > self._smallest[-1]):
            return
        insort(self._smallest, drawn)
        self._kept.add(drawn)
        if len(self._smallest) > _MOST_KEPT:
            self._kept.remove(self._smallest.pop())

    @property
    def count(self) -> int:
        """How many, exact up to 10 000."""
        if len(self._smallest) < _MOST_KEPT:
            return len(self._smallest)
        return round((_MOST_KEPT - 1) * (1 << _BITS) / self._smallest[-1])
