"""One process's share of a long attack. A module, so that a spawned process can import it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from tests.abuse import fuzz, realms, signatures
from tests.abuse.findings import Findings

ATTACKS: Final[Mapping[str, Callable[..., Findings]]] = {
    "requests": fuzz.examine,
    "signatures": signatures.examine,
    "realms": realms.examine,
}


def portion(attack: str, count: int, seed: int, store: str, bug: str | None) -> Findings:
    """What came of it."""
    logging.getLogger("adapter").setLevel(logging.CRITICAL)  # what is refused on purpose would fill the terminal
    return ATTACKS[attack](count, seed, store, bug)
