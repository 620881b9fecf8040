"""Is the database's file sound? Asked once, at the start, for no longer than a start may take.

Leaves out: the thorough check (`Store.schema_problems`, `sticky-calls db check`), PostgreSQL (which checks itself).
"""

from __future__ import annotations

import sqlite3
import time

from adapter.errors import StoreUnavailable
from adapter.store.database import Store

from .store import SqliteStore

_STEPS_BETWEEN_LOOKS = 100_000
_MOST_TOLD = 5


def damage(store: Store, at_most_seconds: float) -> list[str]:
    """The first signs of damage, as sentences. Empty: none was found, in a large file perhaps for want of time."""
    if not isinstance(store, SqliteStore):
        return []
    deadline = time.monotonic() + at_most_seconds
    try:
        with store.connections.reader() as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
            try:
                found = connection.execute(f"PRAGMA quick_check({_MOST_TOLD})").fetchall()
            finally:
                connection.set_progress_handler(None, 0)
    except sqlite3.OperationalError as error:
        return [] if str(error) == "interrupted" else [str(error)]
    except sqlite3.Error as error:
        return [str(error)]
    except StoreUnavailable as error:
        return [error.message]
    return [text for (text,) in found if text != "ok"]
