"""One process's share of a long attack. A module, so that a spawned process can import it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.abuse import fuzz, realms, signatures
from tests.abuse.findings import Findings

ATTACKS: Final[Mapping[str, Callable[..., Findings]]] = {
    "requests": fuzz.examine,
    "signatures": signatures.examine,
    "realms": realms.examine,
}


@dataclass(frozen=True, slots=True)
class Portion:
    """`count` tries of one attack. `bug`: planted, to be found."""

    attack: str
    count: int
    seed: int
    store: str
    bug: str | None


def examine(portion: Portion) -> Findings:
    """What came of it."""
    logging.getLogger("adapter").setLevel(logging.CRITICAL)  # what is refused on purpose would fill the terminal
    return ATTACKS[portion.attack](portion.count, portion.seed, portion.store, portion.bug)
