"""Rows of one table in memory: found by the beginning of their keys, changed, put back in one go.

A row is a list in the order of its table's columns without the realm; its key is its beginning. On PostgreSQL each
reading and each writing is one round trip, however many rows it is about. Leaves out: what the rows mean (`roster`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from adapter.store.moving.rows import put, sql
from adapter.store.statements import Bound, Dialect, Prepared
from adapter.store.transaction import Row, Transaction

Key = tuple[Any, ...]
_REALM = 2  # account and realm come first in every table of caller data
_PLACES: Final = """
    WITH RECURSIVE place (at) AS (SELECT 1 UNION ALL SELECT at + 16 FROM place WHERE at + 16 < length(:wanted))"""
_AT_PLACE: Final = "substr(:wanted, place.at, 16)"


class Rows:
    """One table's rows, as far as they were read or made. `key`: how many columns make a row's key."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.key = len(table.primary_key) - _REALM
        self._rows: dict[Key, list[Any]] = {}
        self._under: dict[Any, list[list[Any]]] = {}
        self._changed: set[Key] = set()

    def take(self, rows: Iterable[Row]) -> None:
        """Rows as the database has them, realm and all; one that is here already stays as it is here."""
        for row in rows:
            self._keep(list(row[_REALM:]))

    def get(self, *key: Any) -> list[Any] | None:
        """The row with this key."""
        return self._rows.get(key)

    def first(self, keys: Iterable[Key]) -> list[Any] | None:
        """The row of the first of these keys that has one."""
        for key in keys:
            if key in self._rows:
                return self._rows[key]
        return None

    def under(self, first: Any) -> Sequence[list[Any]]:
        """All rows whose key begins so."""
        return self._under.get(first, ())

    def add(self, *values: Any) -> None:
        """A new row."""
        self._changed.add(self._keep(list(values)))

    def change(self, row: list[Any], *values: Any) -> None:
        """What comes after its key is this from now on."""
        row[self.key :] = values
        self._changed.add(tuple(row[: self.key]))

    def drop(self, *key: Any) -> None:
        """No row has this key any more. Only of rows that the database has no longer, either."""
        row = self._rows.pop(key, None)
        if row is not None:
            self._under[key[0]].remove(row)
            self._changed.discard(key)

    def write(self, tx: Transaction) -> None:
        """What was added or changed."""
        rows = [(tx.realm.account, tx.realm.number, *self._rows[key]) for key in sorted(self._changed)]
        if rows:
            put(tx, self.table, rows)

    def _keep(self, row: list[Any]) -> Key:
        key = tuple(row[: self.key])
        if key not in self._rows:
            self._rows[key] = row
            self._under.setdefault(key[0], []).append(row)
        return key


def begin_with(
    tx: Transaction, table: sa.Table, values: Sequence[bytes], column: str = "", most: int = 0, latest: str = ""
) -> list[Row]:
    """The realm's rows whose key begins with one of the values, or which have it in `column`.

    `values`: of 16 bytes, as tokens and customers have. `most`: of each at most so many, those with the highest
    `latest` first.
    """
    if not values:
        return []
    wanted = column or list(table.primary_key)[_REALM].name
    order = f" ORDER BY {latest} DESC" if latest else ""
    rest = f"{order} LIMIT {most}" if most else ""
    if tx.dialect is Dialect.POSTGRESQL:
        return tx.rows(_of_many(table, wanted, rest), {"wanted": values})  # type: ignore[dict-item]  # an array
    together: dict[str, Bound] = {"wanted": b"".join(sorted(values))}
    if not most:
        return tx.rows(_of_all(table, wanted), together)
    # Most are new: asking for each of them would take several times as long as finding out which are not.
    statement = _of_one(table, wanted, rest)
    return [row for (value,) in tx.rows(_known(table, wanted), together) for row in tx.rows(statement, {"one": value})]


@cache
def _of_one(table: sa.Table, column: str, rest: str) -> Prepared:
    return sql(f"SELECT {_columns(table, table.name)} FROM {_where(table, column, ':one')}{rest}")


# SQLite takes them as one value, in which each has its place. CROSS JOIN: in this order, the index for each.


@cache
def _of_all(table: sa.Table, column: str) -> Prepared:
    found = _where(table, column, _AT_PLACE)
    return sql(f"{_PLACES} SELECT {_columns(table, table.name)} FROM place CROSS JOIN {found}")


@cache
def _known(table: sa.Table, column: str) -> Prepared:
    exists = f"EXISTS (SELECT 1 FROM {_where(table, column, _AT_PLACE)})"
    return sql(f"{_PLACES} SELECT {_AT_PLACE} FROM place WHERE {exists}")


@cache
def _of_many(table: sa.Table, column: str, rest: str) -> Prepared:
    # One look into the index for each: of a table it has no statistics of yet, the planner would rather read all.
    each = f"SELECT {table.name}.* FROM {_where(table, column, 'wanted.one')}{rest}"
    wanted = "unnest(CAST(:wanted AS bytea[])) AS wanted (one)"
    return sql(f"SELECT {_columns(table, 'found')} FROM {wanted} CROSS JOIN LATERAL ({each}) AS found")


def _columns(table: sa.Table, of: str) -> str:
    return ", ".join(f"{of}.{column.name}" for column in table.c)


def _where(table: sa.Table, column: str, value: str) -> str:
    name = table.name
    return f"{name} WHERE {name}.account = :account AND {name}.realm = :realm AND {name}.{column} = {value}"
