"""A copy of a whole database, taken while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from .connections import connect, translate

_TIMEOUT_SECONDS = 5.0


def copy_database(source: Path, target: Path) -> None:
    """One state of `source` as the new file `target`. StoreUnavailable when it cannot be read or written."""
    with closing(connect(source, _TIMEOUT_SECONDS, read_only=True)) as opened:
        try:
            with closing(sqlite3.connect(target)) as copy:
                opened.backup(copy)
        except sqlite3.Error as error:
            raise translate(error) from error
