"""Where rows go to. How far the copy has come is kept in the same transactions as the rows, in a table of its own.

So a copy that is killed anywhere goes on where it was, without a row twice or a row missing. Until it is finished the
target's schema version is "copying", with which no service starts. Leaves out: where rows come from (`source`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from adapter.errors import StoreMismatch
from adapter.store import schema
from adapter.store.database import Store
from adapter.store.statements import Dialect
from adapter.store.transaction import NO_REALM, Row, Transaction

from . import rows
from .rows import TABLES, Sum, key_of, sql

_PROGRESS = "db_copy_progress"
_WHOLE = "copy"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one table is: rows up to the key `after` (None: none yet), and the sum of what was put there."""

    after: Row | None = None
    is_through: bool = False
    sum: Sum = field(default_factory=Sum)


class Target:
    """One database that is being filled. One process at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._progress: dict[str, Progress] = {}

    def begun(self) -> str | None:
        """The id of the copy that was begun here; None: nothing was, and the tables are there and empty.

        StoreMismatch when it is a database of a newer version, of something else, or has rows of its own.
        """
        try:
            self.store.migrate()
        except StoreMismatch:
            found = self.begun_before()
            if found is None:
                raise
            return found
        with self.store.read(NO_REALM) as tx:
            full = [table.name for table in TABLES if not rows.is_empty(tx, table)]
        if full:
            what = f"{self.store.name} is not empty (it has {', '.join(full[:3])}): a copy needs a database of its own"
            raise StoreMismatch(what)
        return None

    def begun_before(self) -> str | None:
        """The id of the copy that was begun and is not finished; None: there is none."""
        with self.store.read(NO_REALM) as tx:
            return str(_whole(tx)["id"]) if _is_there(tx) else None

    def begin(self, copy_id: str) -> None:
        """Everything is still to be copied."""

        def work(tx: Transaction) -> None:
            tx.execute(sql(f"CREATE TABLE {_PROGRESS} (name TEXT PRIMARY KEY, state TEXT NOT NULL)"), {})
            tx.execute(sql("UPDATE alembic_version SET version_num = :version"), {"version": schema.COPYING})
            _write(tx, _WHOLE, json.dumps({"id": copy_id, "for": schema.head(), "verified": False}))
            for table in TABLES:
                _write(tx, table.name, _encoded(Progress()))

        self.store.transact(NO_REALM, work)
        self._progress = {table.name: Progress() for table in TABLES}

    def resume(self) -> None:
        """Where it was left. StoreMismatch when another version began it."""
        with self.store.read(NO_REALM) as tx:
            whole = _whole(tx)
            states = {table.name: _read(tx, table.name) for table in TABLES}
        if whole["for"] != schema.head() or None in states.values():
            raise StoreMismatch("another version has begun this copy: let that one finish it, or empty the target")
        self._progress = {name: _decoded(state) for name, state in states.items() if state is not None}

    def progress(self, table: sa.Table) -> Progress:
        """How far this table is."""
        return self._progress[table.name]

    def take(self, table: sa.Table, page: Sequence[Row], *, is_last: bool) -> None:
        """The next rows of the table."""
        before = self._progress[table.name]
        after = key_of(table, page[-1]) if page else before.after
        changed = Progress(after, is_last, before.sum.plus(page))

        def work(tx: Transaction) -> None:
            self._expected(tx, table)
            if page:
                rows.put(tx, table, page)
            if is_last and tx.dialect is Dialect.POSTGRESQL:  # it would plan for an empty table for a while
                tx.execute(sql(f"ANALYZE {table.name}"), {})
            _write(tx, table.name, _encoded(changed))

        self.store.transact(NO_REALM, work)
        self._progress[table.name] = changed

    def correct(self, table: sa.Table, keys: Sequence[Row], found: Sequence[Row]) -> None:
        """Of these keys there are exactly the rows `found` now. StoreMismatch when the target does not keep them so."""

        def work(tx: Transaction) -> Progress:
            before = self._expected(tx, table)
            old = rows.fetch(tx, table, keys)
            stays = {key_of(table, row) for row in found}
            rows.remove(tx, table, [key for key in keys if key not in stays])
            if found:
                rows.put(tx, table, found)
            if sorted(map(repr, rows.fetch(tx, table, keys))) != sorted(map(repr, found)):
                raise StoreMismatch(f"{self.store.name} does not keep the rows of {table.name} as they are given to it")
            now = replace(before, sum=before.sum.minus(old).plus(found))
            _write(tx, table.name, _encoded(now))
            return now

        self._progress[table.name] = self.store.transact(NO_REALM, work)

    def is_verified(self) -> bool:
        """Whether everything was compared with the source once, and only corrections have come since."""
        with self.store.read(NO_REALM) as tx:
            return bool(_whole(tx)["verified"])

    def verified(self) -> None:
        """It was."""

        def work(tx: Transaction) -> None:
            _write(tx, _WHOLE, json.dumps({**_whole(tx), "verified": True}))

        self.store.transact(NO_REALM, work)

    def finish(self) -> None:
        """The target is a database like any other from now on, of this version."""

        def work(tx: Transaction) -> None:
            tx.execute(sql(f"DROP TABLE {_PROGRESS}"), {})
            tx.execute(sql("UPDATE alembic_version SET version_num = :version"), {"version": schema.head()})

        self.store.transact(NO_REALM, work)
        self.store.truncate_log()

    def _expected(self, tx: Transaction, table: sa.Table) -> Progress:
        """What it was when we last looked: with two at work nobody could tell what is there."""
        known = self._progress[table.name]
        state = _read(tx, table.name)
        if state is None or _decoded(state) != known:
            raise StoreMismatch(f"another copy is at work on {self.store.name}: let it end, then run this again")
        return known


def _is_there(tx: Transaction) -> bool:
    names = "pg_tables WHERE schemaname = current_schema() AND tablename"
    listed = "sqlite_master WHERE name" if tx.dialect is Dialect.SQLITE else names
    return tx.row(sql(f"SELECT 1 FROM {listed} = :name"), {"name": _PROGRESS}) is not None


def _whole(tx: Transaction) -> dict[str, object]:
    found = _read(tx, _WHOLE)
    if found is None:
        raise StoreMismatch("the target's notes on the copy are damaged: empty it, and begin anew")
    whole: dict[str, object] = json.loads(found)
    return whole


def _read(tx: Transaction, name: str) -> str | None:
    found = tx.row(sql(f"SELECT state FROM {_PROGRESS} WHERE name = :name"), {"name": name})
    return None if found is None else str(found[0])


def _write(tx: Transaction, name: str, state: str) -> None:
    put = f"INSERT INTO {_PROGRESS} (name, state) VALUES (:name, :state)"
    tx.execute(sql(f"{put} ON CONFLICT (name) DO UPDATE SET state = excluded.state"), {"name": name, "state": state})


def _encoded(progress: Progress) -> str:
    after = None if progress.after is None else [_told(value) for value in progress.after]
    return json.dumps([after, progress.is_through, progress.sum.rows, progress.sum.checksum])


def _decoded(state: str) -> Progress:
    after, is_through, count, checksum = json.loads(state)
    key = None if after is None else tuple(_heard(value) for value in after)
    return Progress(key, is_through, Sum(count, int(checksum, 16)))


def _told(value: object) -> object:
    return {"bytes": value.hex()} if isinstance(value, bytes) else value


def _heard(value: object) -> object:
    return bytes.fromhex(value["bytes"]) if isinstance(value, dict) else value
