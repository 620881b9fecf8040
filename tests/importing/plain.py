"""The yardstick: the same file into the same tables with `sqlite3` alone, as a script of one's own would do it.

Nothing is checked, matched or sealed, and no record is looked up: json.loads, a UUID, some hashes, executemany, a
commit for every so many records, as durable as the product's.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from tests import databases

_INSERTS = {
    "customers": "INSERT OR REPLACE INTO customers VALUES (1, 1, ?, ?, ?, ?)",
    "numbers": "INSERT OR REPLACE INTO numbers VALUES (1, 1, ?, ?, ?, 0, ?, 0, ?)",
    "external_ids": "INSERT OR REPLACE INTO external_ids VALUES (1, 1, ?, ?, ?, ?, 0, ?)",
    "sightings": "INSERT OR REPLACE INTO sightings VALUES (1, 1, ?, ?, ?, ?, ?)",
    "variables": "INSERT OR REPLACE INTO variables VALUES (1, 1, ?, ?, NULL, 2592000, ?, ?, ?, ?)",
}


def seconds_for(file: Path, database: Path, batch: int) -> float:
    """How long it takes."""
    shutil.copy(databases.migrated(), database)
    began = time.monotonic()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection, file.open("rb") as opened:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-128000"):
            connection.execute(f"PRAGMA {pragma}")
        for lines in iter(lambda: list(islice(opened, batch)), []):
            rows: dict[str, list[Any]] = {table: [] for table in _INSERTS}
            for table, row in (each for line in lines for each in _rows(json.loads(line))):
                rows[table].append(row)
            connection.execute("BEGIN IMMEDIATE")
            for table, insert in _INSERTS.items():
                connection.executemany(insert, rows[table])
            connection.execute("COMMIT")
    return time.monotonic() - began


def _rows(person: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    now, ref = time.time_ns() // 1_000_000, uuid.uuid4().bytes
    ani = _token("ani", person["ani"])
    expires = now + 2_592_000_000
    yield "customers", (ref, now, now, expires)
    yield "numbers", (ani, ref, now, now, person["ani"].encode())
    for key, value in person.get("external_ids", {}).items():
        pair = _token("pair", key, value)
        yield "external_ids", (pair, ref, key, now, value.encode())
        yield "sightings", (pair, ani, "import", now, json.dumps([key, value, person["ani"]]).encode())
    for place, (name, value) in enumerate(person.get("variables", {}).items()):
        yield "variables", (ref, name, now, place, expires, value.encode())


def _token(*parts: str) -> bytes:
    return sha256("\0".join(parts).encode()).digest()[:16]
