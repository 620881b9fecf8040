"""Pages, batches and checksums of any table, on both kinds of database, some thousand rows a statement.

A row is a tuple of its table's columns in their order, the primary key's first; a key is its beginning. Leaves out:
which rows (`copying`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from adapter.store.database import Store
from adapter.store.sqlite.store import SqliteTransaction
from adapter.store.statements import Bound, Dialect, Prepared, bind
from adapter.store.tables import metadata, turns
from adapter.store.transaction import NO_REALM, Row, Transaction

# Not `turns`: whose turn it is to write, and how transactions ended, belongs to the connections of one server.
TABLES = tuple(table for table in metadata.tables.values() if table is not turns)
_MODULUS = 1 << 128
_ARRAYS = {sa.BigInteger: "bigint[]", sa.LargeBinary: "bytea[]", sa.Text: "text[]"}


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows, and a checksum that does not depend on their order: their hashes (BLAKE2b, 128 bits) added up."""

    rows: int = 0
    total: int = 0

    def plus(self, rows: Sequence[Row]) -> Sum:
        """With these rows more."""
        return Sum(self.rows + len(rows), (self.total + _hashes(rows)) % _MODULUS)

    def minus(self, rows: Sequence[Row]) -> Sum:
        """With these rows less."""
        return Sum(self.rows - len(rows), (self.total - _hashes(rows)) % _MODULUS)

    @property
    def checksum(self) -> str:
        """32 hex digits."""
        return f"{self.total:032x}"


def _hashes(rows: Iterable[Row]) -> int:
    digests = (blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest() for row in rows)
    return sum(int.from_bytes(digest) for digest in digests)


def key_columns(table: sa.Table) -> list[str]:
    """The names of the primary key's columns."""
    return [column.name for column in table.primary_key]


def key_of(table: sa.Table, row: Row) -> Row:
    """A row's primary key."""
    return row[: len(table.primary_key)]


def page(tx: Transaction, table: sa.Table, after: Row | None, batch: int) -> list[Row]:
    """The next rows in the order of the key; None: from the beginning."""
    values: dict[str, Bound] = {"batch": batch}
    if after is None:
        return tx.rows(_first_page(table), values)
    return tx.rows(_next_page(table), {**values, **{f"after_{place}": value for place, value in enumerate(after)}})


def pages(tx: Transaction, table: sa.Table, batch: int) -> Iterator[list[Row]]:
    """All rows, page by page."""
    after: Row | None = None
    while rows := page(tx, table, after, batch):
        yield rows
        after = key_of(table, rows[-1])


def count(tx: Transaction, table: sa.Table) -> int:
    """How many rows there are."""
    found = tx.row(sql(f"SELECT count(*) FROM {table.name}"), {})
    return int(found[0]) if found else 0


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has, in one state of the database."""
    with store.read(NO_REALM) as tx:
        return {table.name: count(tx, table) for table in TABLES}


def is_empty(tx: Transaction, table: sa.Table) -> bool:
    """Whether there is no row."""
    return tx.row(sql(f"SELECT 1 FROM {table.name} LIMIT 1"), {}) is None


def fetch(tx: Transaction, table: sa.Table, keys: Sequence[Row]) -> list[Row]:
    """The rows that there are of these keys."""
    if tx.dialect is Dialect.POSTGRESQL:
        return tx.rows(_fetch_many(table), _arrays(keys))
    found = (tx.row(_fetch_one(table), _key_values(table, key)) for key in keys)
    return [row for row in found if row is not None]


def put(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert them, or replace what has their keys."""
    if tx.dialect is Dialect.POSTGRESQL:
        tx.execute(_put_many(table), _arrays(rows))
        return
    assert isinstance(tx, SqliteTransaction)
    tx.execute_rows(_put_one(table), rows)


def remove(tx: Transaction, table: sa.Table, keys: Sequence[Row]) -> None:
    """Delete the rows of these keys."""
    if not keys:
        return
    if tx.dialect is Dialect.POSTGRESQL:
        tx.execute(_remove_many(table), _arrays(keys))
        return
    tx.write_many(_remove_one(table), (_key_values(table, key) for key in keys))


@cache
def sql(text: str) -> Prepared:
    """SQL that both understand; `:name` is a placeholder."""
    return Prepared(sa.text(text))


@cache
def _first_page(table: sa.Table) -> Prepared:
    return Prepared(sa.select(table).order_by(*table.primary_key).limit(bind("batch")))


@cache
def _next_page(table: sa.Table) -> Prepared:
    key = [*table.primary_key]
    after = sa.tuple_(*(bind(f"after_{place}") for place in range(len(key))))
    return Prepared(sa.select(table).where(sa.tuple_(*key) > after).order_by(*key).limit(bind("batch")))


def _key_values(table: sa.Table, key: Row) -> dict[str, Bound]:
    return {f"of_{name}": value for name, value in zip(key_columns(table), key, strict=True)}


def _has_key(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == bind(f"of_{column.name}") for column in table.primary_key))


@cache
def _fetch_one(table: sa.Table) -> Prepared:
    return Prepared(sa.select(table).where(_has_key(table)))


@cache
def _remove_one(table: sa.Table) -> Prepared:
    return Prepared(sa.delete(table).where(_has_key(table)))


@cache
def _put_one(table: sa.Table) -> Prepared:
    return _put(table, f"VALUES ({', '.join('?' * len(table.c))})")


# PostgreSQL takes each column as one array: a statement of a thousand rows is one round trip.


def _arrays(rows: Sequence[Row]) -> dict[str, Bound]:
    columns: dict[str, Any] = {f"column_{place}": list(values) for place, values in enumerate(zip(*rows, strict=True))}
    return columns  # psycopg makes arrays of lists


def _unnested(columns: Iterable[sa.Column[object]]) -> str:
    types = [next(array for kind, array in _ARRAYS.items() if isinstance(column.type, kind)) for column in columns]
    return ", ".join(f"CAST(:column_{place} AS {array})" for place, array in enumerate(types))


def _wanted(table: sa.Table) -> str:
    return f"unnest({_unnested(table.primary_key)}) AS wanted ({', '.join(key_columns(table))})"


def _matches(table: sa.Table) -> str:
    return " AND ".join(f"{table.name}.{name} = wanted.{name}" for name in key_columns(table))


@cache
def _fetch_many(table: sa.Table) -> Prepared:
    # One look into the index for each: of a table it has no statistics of yet, the planner would rather read all.
    one = f"SELECT {table.name}.* FROM {table.name} WHERE {_matches(table)} LIMIT 1"
    columns = ", ".join(f"found.{column.name}" for column in table.c)
    return sql(f"SELECT {columns} FROM {_wanted(table)} CROSS JOIN LATERAL ({one}) AS found")


@cache
def _remove_many(table: sa.Table) -> Prepared:
    return sql(f"DELETE FROM {table.name} USING {_wanted(table)} WHERE {_matches(table)}")


@cache
def _put_many(table: sa.Table) -> Prepared:
    return _put(table, f"SELECT * FROM unnest({_unnested(table.c)})")


def _put(table: sa.Table, rows: str) -> Prepared:
    key, names = key_columns(table), [column.name for column in table.c]
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    does = f"UPDATE SET {replaced}" if replaced else "NOTHING"
    return sql(f"INSERT INTO {table.name} ({', '.join(names)}) {rows} ON CONFLICT ({', '.join(key)}) DO {does}")
