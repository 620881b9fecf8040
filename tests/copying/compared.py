"""Two databases, read side by side in the order of their keys: which tables differ, and where first.

By no code of the product, so that a mistake in its checksums would be seen. Leaves out: `turns`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg

Row = tuple[Any, ...]


def differences(file: Path, url: str) -> list[str]:
    """A sentence for each table of the SQLite file that is another one in PostgreSQL; none: all are equal."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as old, psycopg.connect(url) as new:
        tables = [name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        kept = [name for name in tables if not name.startswith(("db_copy", "sqlite_")) and name != "turns"]
        return [told for name in kept if (told := _difference(name, old, new))]


def _difference(name: str, old: sqlite3.Connection, new: psycopg.Connection[Row]) -> str | None:
    columns = old.execute(f"PRAGMA table_info({name})").fetchall()
    names = ", ".join(column[1] for column in columns)
    key = ", ".join(column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5])
    question = f"SELECT {names} FROM {name} ORDER BY {key or names}"
    for place, (there, here) in enumerate(zip_longest(old.execute(question), _streamed(new, question))):
        if there != here:
            return f"{name}: row {place} is another one"
    return None


def _streamed(new: psycopg.Connection[Row], question: str) -> Iterator[Row]:
    with new.cursor(name="compared") as cursor:
        cursor.itersize = 20_000
        cursor.execute(question)
        yield from cursor
