"""A file of customers as another system would give it away: most of them new, some who share, repeat or are wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def write(file: Path, count: int, seed: int) -> None:
    """`count` records, a line each."""
    with file.open("w", encoding="utf-8") as opened:
        for each in people(count, seed):
            opened.write(json.dumps(each) + "\n")


def people(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Nine in ten have a number and an id of their own. Everybody's last contact is another second: between two that
    are equal, whoever has the higher reference is taken, and that is drawn."""
    chance = random.Random(seed)
    for place in range(count):
        yield {**_person(place, chance), "last_contact": (_FIRST + timedelta(seconds=place)).isoformat()}


def _person(place: int, chance: random.Random) -> dict[str, Any]:
    number, account = place, place
    kind = chance.random()
    if kind < 0.04:  # somebody else at the telephone of an earlier one
        number = chance.randrange(place + 1)
    elif kind < 0.08:  # an earlier one, from a new number
        account = chance.randrange(place + 1)
    elif kind < 0.081:
        return {"ani": "555-0123"}
    person: dict[str, Any] = {
        "ani": f"+1415{number:07d}",
        "line_type": "landline" if number % 5 == 0 else "mobile",
        "external_ids": {"customer_id": f"C{account}"},
        "variables": {"name": f"Maria {account}", "plan": "gold", "city": "Graz"},
    }
    if place % 10 == 0:
        person |= {"intent": "refund_request", "intent_status": "open" if place % 20 else "resolved"}
    return person
