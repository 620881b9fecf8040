"""A backup of a SQLite database: one sound file, made while the service writes, complete under its name or not there.

Written with VACUUM INTO, not page by page: the slack of a page can hold a copy of a row that was deleted since. Leaves
out: the pepper's file and the encryption keys (a copy that lies beside what opens it protects nothing), waiting
hang-ups, PostgreSQL (which has tools of its own), putting a backup back (`restore`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from adapter.errors import StoreDamaged, StoreMismatch, StoreUnavailable
from adapter.store import schema
from adapter.store.disk import sync

from .connections import translate
from .drafts import draft_beside

# Told a share of the work between 0 and 1, again and again.
Progress = Callable[[float], None]
_STEPS_BETWEEN_PROGRESS = 200_000
_PATIENCE_SECONDS = 5.0


def back_up(source: Path, target: Path, *, replace: bool = False, progress: Progress = lambda _: None) -> int:
    """One state of `source` as the file `target`, checked, for its owner alone; how many bytes it has.

    StoreUnavailable when it cannot be read or written, `target` exists (unless `replace`) or is `source`; StoreMismatch
    when `source` is damaged or no database of ours. A copy that fails leaves nothing, and an older `target` as it was;
    what one leaves that is killed is removed by the next one in that folder.
    """
    if not source.exists():
        raise StoreUnavailable(
            f"there is no database {source}: run this where the service runs, or correct database.url"
        )
    if is_same(source, target):
        raise StoreUnavailable(f"{target} is the database itself: name another file")
    if target.exists() and not replace:
        raise StoreUnavailable(f"{target} exists: name another file, or say that it may be replaced")
    try:
        with draft_beside(target) as draft:
            copy_soundly(source, draft, progress)
            publish(draft, target)
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error
    return target.stat().st_size


def is_same(one: Path, other: Path) -> bool:
    """Whether both are one file, under whatever names."""
    return one.exists() and other.exists() and one.samefile(other)


def copy_soundly(source: Path, draft: Path, progress: Progress = lambda _: None) -> str:
    """`source` as the new file `draft`: on disk and checked. The schema's revision. Raises as `back_up`."""
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(_opened(source)) as connection:
            _report(connection, draft, progress)
            connection.execute("VACUUM INTO ?", (str(draft),))
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error  # it came while the progress was told, where SQLite drops exceptions
        found = translate(error)
        raise StoreDamaged(f"{source}: {found.message}") if isinstance(found, StoreDamaged) else found from error
    sync(draft)
    return revision_of(draft, source)


def revision_of(file: Path, name: Path | None = None) -> str:
    """Reads all of the file: its schema's revision. StoreMismatch when it is damaged, not ours or too new.

    `name`: of what it is a copy of, which is what a person knows.
    """
    name = name or file
    try:
        with closing(_opened(file)) as connection:
            damage = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            revision = schema.current(connection)
    except sqlite3.DatabaseError as error:
        raise StoreMismatch(f"{name} cannot be used: {error}") from error
    if damage:
        raise StoreMismatch("\n".join([f"{name} is damaged:", *damage]))
    if revision is None:
        raise StoreMismatch(f"{name} is no database of this product")
    schema.check_known(revision)
    return revision


def publish(draft: Path, target: Path) -> None:
    """`draft` takes the name `target`, in one step that a power cut does not undo."""
    os.replace(draft, target)
    sync(target.parent)


def _opened(file: Path) -> sqlite3.Connection:
    """Cannot write, so it checkpoints nothing and changes nothing of the file, not even its journal mode."""
    uri = f"file:{quote(str(file))}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)


def _report(connection: sqlite3.Connection, draft: Path, progress: Progress) -> None:
    pages, free, page_size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    whole = max(1, (pages - free) * page_size)

    def told() -> None:
        progress(min(1.0, draft.stat().st_size / whole))

    connection.set_progress_handler(told, _STEPS_BETWEEN_PROGRESS)
