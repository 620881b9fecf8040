"""What an import has left behind, as sums that do not depend on order, references or the time of day.

By no code of the product but its export: rows are hashed and added up here. Leaves out: `answers`, where progress is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg

_TABLES = ("customers", "numbers", "external_ids", "sightings", "variables", "intents", "calls")
_DRAWN = ("customer_ref", "created_at")
_DATED = ("created_at", "expires_at", "opened_at", "updated_at")
_SIGHTINGS = "SELECT pair, ani, call_id, seen_at FROM sightings"


def sums(url: str, exported: Path) -> dict[str, str]:
    """By what was added up. `exported`: what `customers export --all` has written of this database."""
    found = {f"{table}, rows": str(_count(url, table)) for table in _TABLES}
    found["sightings"] = _sum(repr(tuple(map(_plain, row))) for row in _rows(url, _SIGHTINGS))
    with exported.open(encoding="utf-8") as lines:
        found["customers"] = _sum(_lasting(json.loads(line)) for line in lines)
    return found


def _count(url: str, table: str) -> int:
    [(count,)] = _rows(url, f"SELECT count(*) FROM {table}")
    return int(count)


def _lasting(customer: dict[str, Any]) -> str:
    for name in _DRAWN:
        del customer[name]
    for each in (*customer["variables"].values(), *customer["intents"]):
        for name in _DATED:
            each.pop(name, None)
    customer["numbers"].sort(key=lambda number: number["ani"])
    return json.dumps(customer, sort_keys=True)


def _sum(texts: Iterable[str]) -> str:
    total = sum(int.from_bytes(blake2b(text.encode(), digest_size=16).digest()) for text in texts)
    return f"{total % (1 << 128):032x}"


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def _rows(url: str, question: str) -> Iterator[tuple[Any, ...]]:
    if not url.startswith("postgresql"):
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)) as opened:
            yield from opened.execute(question)
        return
    with psycopg.connect(url) as connection, connection.cursor(name="sums") as cursor:
        cursor.itersize = 20_000
        cursor.execute(question)
        yield from cursor
