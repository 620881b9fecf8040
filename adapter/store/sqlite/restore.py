"""Putting a backup in the place of the database, and keeping what must not come back from coming back.

Who was erased since the backup is erased in it, and API keys are what they were last: revoked, made anew, hashed under
another pepper since. Then it takes the database's place in one step; the old file is kept aside. Killed at any moment,
there is the old database or the new one. Leaves out: making backups (`backup`), PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError, StoreUnavailable
from adapter.store import keys, records
from adapter.store.database import Store
from adapter.store.refs import from_bytes
from adapter.store.statements import Prepared, upsert
from adapter.store.tables import api_keys, tombstones
from adapter.store.transaction import NO_REALM, Row

from . import backup
from .drafts import draft_beside
from .store import SqliteStore

# Where SQLite's readers hold their lock in the file (its file format, "locking"): in WAL mode as long as they are open.
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_COMPANIONS = ("-wal", "-shm")
_TOMBSTONES = Prepared(sa.select(tombstones))
_BURY = upsert(tombstones)
_KEYS = Prepared(sa.select(api_keys))
_TAKE_KEY = upsert(api_keys)


@dataclass(frozen=True, slots=True)
class Restored:
    """`aside`: where the old file is, None when there was none. `erased`, `revoked`: customers and keys that the backup
    still had; `made`: keys that it had not yet. `unasked`: why the old database could not be asked about them."""

    aside: Path | None
    erased: int = 0
    revoked: int = 0
    made: int = 0
    unasked: str | None = None


def restore(source: Path, store: SqliteStore, now: Millis) -> Restored:
    """The backup `source` becomes the database of `store`.

    StoreUnavailable when somebody has the database open, `source` is damaged or the database itself; StoreMismatch when
    it is no database of ours or too new, KeyMissing when an erased customer's data cannot be opened. Then nothing is
    changed.
    """
    target = store.path
    if backup.is_same(source, target):
        raise StoreUnavailable(f"{source} is the database itself: name a backup of it")
    with store.lock.held():
        _refuse_in_use(target)
        try:
            with draft_beside(target) as draft:
                backup.copy_soundly(source, draft)
                restored = _carried_over(store, draft)
                aside = _set_aside(target, now)
                backup.publish(draft, target)
        except OSError as error:
            raise StoreUnavailable(f"{target} cannot be replaced: {error.strerror}") from error
    return replace(restored, aside=aside)


def _refuse_in_use(target: Path) -> None:
    """A second look at the lock itself: a damaged file cannot be asked by SQL who has it open."""
    with suppress(FileNotFoundError), target.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except OSError:
            raise StoreUnavailable(f"{target} is in use: stop the service first, on its last calls' end") from None


def _carried_over(old: SqliteStore, draft: Path) -> Restored:
    if not old.path.exists():
        return Restored(None)
    try:
        _fold(old.path)
        with old.read(NO_REALM) as tx:
            erased, known = tx.rows(_TOMBSTONES, {}), tx.rows(_KEYS, {})
    except (AdapterError, sqlite3.Error) as error:
        return Restored(None, unasked=str(error))
    finally:
        with old.connections.mutex:
            old.connections.close_readers()
    new = SqliteStore(draft, old.keyring, 5.0)
    try:
        new.migrate()
        return Restored(None, _bury(new, erased), *_take_keys(new, known))
    finally:
        new.close()


def _bury(new: Store, erased: list[Row]) -> int:
    count = 0
    for account, number, customer, at in erased:
        with new.begin(Realm(account, number)) as tx:
            count += records.erase(tx, from_bytes(customer), at)
            tx.execute(_BURY, {"customer": customer, "erased_at": at})
    return count


def _take_keys(new: Store, known: list[Row]) -> tuple[int, int]:
    """How many are revoked by that, and how many are new."""
    before = {record.prefix: record.revoked_at is None for record in keys.all(new)}
    with new.begin(NO_REALM) as tx:
        for row in known:
            tx.execute(_TAKE_KEY, dict(zip(api_keys.c.keys(), row, strict=True)))
    revoked = {record.prefix for record in keys.all(new) if record.revoked_at is not None}
    made = sum(record.prefix not in before for record in keys.all(new))
    return sum(before.get(prefix, False) for prefix in revoked), made


def _fold(path: Path) -> None:
    """What is in the write-ahead log goes into the file, which then stands alone."""
    with closing(sqlite3.connect(path, timeout=5.0, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def _set_aside(target: Path, now: Millis) -> Path | None:
    """A log that could not be folded in goes first: beside another file SQLite would apply it to that."""
    when = datetime.fromtimestamp(now / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = target.with_name(f"{target.name}.before-restore-{when}")
    if aside.exists():
        raise StoreUnavailable(f"{aside} exists: the last restore was a moment ago")
    for companion in _COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{target}{companion}", f"{aside}{companion}")
    try:
        os.link(target, aside)  # a second name, not a move: at no moment is there no database
    except FileNotFoundError:
        return None
    return aside
