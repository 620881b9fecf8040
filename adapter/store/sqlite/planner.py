"""What SQLite's query planner is told of the tables: how many rows are left after each column of an index.

Untold, it takes any index to be about as good as any other, and may look for one customer by reading the whole realm.
Told are no counts but what is true of a store of any size: account and realm leave everything, what comes after them
next to nothing. What `ANALYZE` has counted is left alone. Leaves out: PostgreSQL, which counts by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

_ALL, _FEW, _ONE = 1_000_000, 10, 1
# Columns with few values: nothing is found by them alone.
_COARSE = frozenset({"account", "realm", "organization", "scope"})
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
_INDEXES = 'SELECT name, "unique", origin FROM pragma_index_list(?)'
_COLUMNS = "SELECT name FROM pragma_index_info(?) ORDER BY seqno"

Figures = tuple[str, str, str]


def tell(connection: sqlite3.Connection) -> None:
    """Write down what is missing, in one transaction; other connections go by it once that is committed."""
    missing = untold(connection)
    if not missing:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("ANALYZE sqlite_schema")  # makes the table, and counts nothing
        connection.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", missing)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def untold(connection: sqlite3.Connection) -> list[Figures]:
    """Rows that SQLite's table of statistics lacks: table, index, figures."""
    known = _known(connection)
    tables = [name for (name,) in connection.execute(_TABLES)]
    return [found for table in tables for found in _figures(connection, table) if found[1] not in known]


def _known(connection: sqlite3.Connection) -> set[str]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
        return set()
    return {index for (index,) in connection.execute("SELECT idx FROM sqlite_stat1")}


def _figures(connection: sqlite3.Connection, table: str) -> Iterator[Figures]:
    for index, unique, origin in connection.execute(_INDEXES, (table,)).fetchall():
        columns = [name for (name,) in connection.execute(_COLUMNS, (index,))]
        # A table that lives in its primary key goes by its own name there.
        yield table, table if origin == "pk" else index, _left_after(columns, unique)


def _left_after(columns: Sequence[str], unique: bool) -> str:
    """Of all rows, and after each column."""
    left = [_ALL]
    for column in columns:
        left.append(left[-1] if column in _COARSE else _FEW)
    if unique:
        left[-1] = _ONE
    return " ".join(map(str, left))
