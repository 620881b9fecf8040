"""How often the interpreter looks for objects that hold each other."""

from __future__ import annotations

import gc
from typing import Final

# Enough for some hundred requests, and for the records of one transaction of an import.
AMONG_REQUESTS: Final = 20_000
AMONG_RECORDS: Final = 500_000


def look_seldom(allocations: int) -> None:
    """After so many. What is there now stays, and what comes leaves hardly any cycles behind.

    Looking for some among all of it after every 700 allocations would be 4 % of a worker's work, 20 % of an import's.
    """
    gc.freeze()
    gc.set_threshold(allocations, 10, 10)
