"""How often the interpreter looks for objects that hold each other."""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS_BETWEEN_COLLECTIONS: Final = 20_000


def look_seldom() -> None:
    """What is there now stays, and what comes leaves hardly any cycles behind: requests, records of an import.

    Looking for some among all of it after every 700 allocations would be 4 % of a worker's work, 10 % of an import's.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 10, 10)
