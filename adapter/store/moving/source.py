"""Where rows come from. A SQLite file notes the key of every row that is changed while it is being copied.

Triggers write the keys into tables of their own (`db_copy_changed_…`), in the transaction of the change, so nothing
that is committed is missed, whichever process wrote it. When all is copied the file is sealed: other triggers refuse
every write, so that nobody goes on writing to what has been left. A PostgreSQL source has neither: whoever copies from
one stops the service for as long. Leaves out: the copy itself (`copying`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import sqlalchemy as sa

from adapter.errors import StoreMismatch
from adapter.store import schema
from adapter.store.database import Store
from adapter.store.sqlite.store import SqliteStore
from adapter.store.transaction import NO_REALM, Row, Transaction

from . import rows
from .rows import TABLES, key_columns, sql

_NOTES = "db_copy_source"
# Two changes of one row are told apart by it: the later one must not be forgotten with the earlier one.
_VERSION = "randomblob(8)"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a source keeps of its copy: which one it is, and where it has gone to for good (None: not yet)."""

    copy_id: str
    sealed_for: str | None = None


class Source:
    """One database, read; written to only for noting and sealing."""

    def __init__(self, store: Store, batch: int) -> None:
        self.store = store
        self._batch = batch
        self.notes_changes = _is_file(store)

    def check(self) -> None:
        """StoreMismatch when its schema is not at this version."""
        with self.store.read(NO_REALM) as tx:
            found = tx.row(sql("SELECT version_num FROM alembic_version"), {})
        problems = schema.behind(found[0] if found else None)
        if problems:
            raise StoreMismatch(f"{self.store.name}: {problems[0]}")

    def mark(self) -> Mark | None:
        """The copy that was begun, if any. One that cannot note is always the same copy."""
        if not self.notes_changes:
            return Mark(self.store.name)
        with self.store.read(NO_REALM) as tx:
            return _mark(tx)

    def begin(self) -> Mark:
        """From now on every change is noted. A copy that was begun before can no longer be gone on with."""
        mark = Mark(secrets.token_hex(8))
        if not self.notes_changes:
            return Mark(self.store.name)

        def work(tx: Transaction) -> None:
            _forget_everything(tx)
            tx.execute(sql(f"CREATE TABLE {_NOTES} (mark TEXT NOT NULL)"), {})
            _write(tx, mark)
            for table in TABLES:
                for statement in _noting(table):
                    tx.execute(sql(statement), {})

        self.store.transact(NO_REALM, work)
        return mark

    def changed(self, tx: Transaction, table: sa.Table) -> Iterator[list[Row]]:
        """(key, version) of what was changed and not forgotten since, a batch at a time, in the order of the key."""
        if not self.notes_changes:
            return
        noted = _noted(table)
        found = rows.page(tx, noted, None, self._batch)
        while found:
            yield found
            found = rows.page(tx, noted, rows.key_of(noted, found[-1]), self._batch)

    def forget(self, table: sa.Table, changed: Sequence[Row]) -> None:
        """These are copied. What was changed once more since stays noted."""
        noted = _noted(table)
        which = " AND ".join(f"{name} = :of_{name}" for name in (*key_columns(noted), "version"))
        names = [f"of_{column.name}" for column in noted.c]
        values = [dict(zip(names, row, strict=True)) for row in changed]
        self.store.transact(NO_REALM, lambda tx: tx.write_many(sql(f"DELETE FROM {noted.name} WHERE {which}"), values))

    def seal(self, tx: Transaction, mark: Mark, target: str) -> None:
        """Nothing is noted any more, and nothing can be written, from the commit of `tx` on."""
        for table in TABLES:
            for statement in (*_no_noting(table), *_sealing(table, target)):
                tx.execute(sql(statement), {})
        _write(tx, replace(mark, sealed_for=target))


def abandon(store: Store) -> bool:
    """The source is as before the copy: it notes nothing and can be written to. False: there was no copy."""
    if not _is_file(store):
        return False
    with store.read(NO_REALM) as tx:
        mark = _mark(tx)
    if mark is not None:
        store.transact(NO_REALM, _forget_everything)
    return mark is not None


def _is_file(store: Store) -> bool:
    return isinstance(store, SqliteStore)


def _mark(tx: Transaction) -> Mark | None:
    if tx.row(sql("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": _NOTES}) is None:
        return None
    found = tx.row(sql(f"SELECT mark FROM {_NOTES}"), {})
    return None if found is None else Mark(**json.loads(found[0]))


def _write(tx: Transaction, mark: Mark) -> None:
    tx.execute(sql(f"DELETE FROM {_NOTES}"), {})
    tx.execute(sql(f"INSERT INTO {_NOTES} (mark) VALUES (:mark)"), {"mark": json.dumps(asdict(mark))})


def _forget_everything(tx: Transaction) -> None:
    for table in TABLES:
        for statement in (*_no_noting(table), *_no_seal(table)):
            tx.execute(sql(statement), {})
    tx.execute(sql(f"DROP TABLE IF EXISTS {_NOTES}"), {})


@cache
def _noted(table: sa.Table) -> sa.Table:
    """Where its changes are noted: its key, and a version."""
    key = [sa.Column(column.name, column.type, primary_key=True) for column in table.primary_key]
    return sa.Table(f"db_copy_changed_{table.name}", sa.MetaData(), *key, sa.Column("version", sa.LargeBinary))


_EVENTS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}


def _noting(table: sa.Table) -> list[str]:
    name, key = _noted(table).name, key_columns(table)
    columns = ", ".join(key)
    made = f"CREATE TABLE {name} ({columns}, version NOT NULL, PRIMARY KEY ({columns})) WITHOUT ROWID"
    triggers = [
        f"CREATE TRIGGER {name}_{event} AFTER {event.upper()} ON {table.name} BEGIN "
        + "".join(_note(name, key, which) for which in rows_of)
        + " END"
        for event, rows_of in _EVENTS.items()
    ]
    return [made, *triggers]


def _note(name: str, key: Sequence[str], which: str) -> str:
    values = ", ".join(f"{which}.{column}" for column in key)
    again = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET version = excluded.version"
    return f"INSERT INTO {name} VALUES ({values}, {_VERSION}) {again};"


def _no_noting(table: sa.Table) -> list[str]:
    name = _noted(table).name
    triggers = [f"DROP TRIGGER IF EXISTS {name}_{event}" for event in _EVENTS]
    return [*triggers, f"DROP TABLE IF EXISTS {name}"]


def _sealing(table: sa.Table, target: str) -> list[str]:
    told = f"it was moved to {target}".replace("'", "''").replace(":", "\\:")
    return [
        f"CREATE TRIGGER db_copy_seal_{table.name}_{event} BEFORE {event.upper()} ON {table.name} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        for event in _EVENTS
    ]


def _no_seal(table: sa.Table) -> list[str]:
    return [f"DROP TRIGGER IF EXISTS db_copy_seal_{table.name}_{event}" for event in _EVENTS]
