"""SQLite as a server's store: how connections are opened, kept, checked and let go of.

Every connection: WAL, synchronous=FULL (less loses acknowledged rows at a power cut), secure_delete (else expired
personal data stays in free pages), and no automatic checkpoint: SQLite up to 3.51.2 can corrupt a file when one
connection checkpoints while another writes, so checkpoints run only under the write lock. Leaves out: the lock
(`writelock`), transactions (`database`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from adapter.errors import AdapterError, StoreDamaged, StoreMismatch, StoreUnavailable

# Each row changes about two pages: about a thousand, after which SQLite itself would checkpoint.
CHECKPOINT_ROWS = 500
# While nobody waits for it: with millions of customers the pages lie far apart, and moving a thousand of them takes
# longer than the next caller should wait.
QUIET_CHECKPOINT_ROWS = 100
# Kept, the log is written over from its beginning, and a commit has only its data to sync; each one that makes the file
# longer waits for the file system's journal, too, which takes several times as long. After a reader that took its time
# it is cut back to nothing.
LONGEST_LOG_BYTES = 32 * 1024 * 1024
# After a transaction of so many rows more of its kind follow, as in an import. Then the log may take more of them
# (300 MB), and is not cut: a page that several of them change is moved once.
BULK_ROWS = 10_000
BULK_CHECKPOINT_ROWS = 100_000
# SQLite itself waits so long for a lock that another program holds (ours take turns before it comes to that); who
# wants to write asks again until its own patience ends.
BUSY_STEP_SECONDS = 0.1
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA foreign_keys=OFF",
    "PRAGMA temp_store=MEMORY",  # a sort that spills would write personal data into a temporary file
    "PRAGMA cache_size=-16000",
)


def translate(error: sqlite3.Error) -> AdapterError | sqlite3.Error:
    """What a caller is told. Constraint violations and misuse stay as they are: they are our own mistakes."""
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return StoreUnavailable(f"the database cannot be written: {error}")  # sealed by `moving`
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return error
    if str(error).startswith(("no such table", "no such column")):
        return StoreMismatch(f"the database lacks what this version needs ({error}): run `sticky-calls db upgrade`")
    is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return (StoreDamaged if is_damaged else StoreUnavailable)(f"the database cannot be used: {error}")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else's lock is in the way."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def connect(path: Path, timeout_seconds: float, *, create: bool = False, read_only: bool = False) -> sqlite3.Connection:
    """A connection with this product's settings; StoreUnavailable when there is no such file (unless `create`)."""
    if create:
        _create_private(path)
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=timeout_seconds,
            isolation_level=None,  # the driver must not begin transactions of its own: BEGIN is ours
            check_same_thread=False,
            cached_statements=512,
        )
    except sqlite3.Error as error:
        raise _unopened(path, error) from error
    try:
        _prepare(connection, read_only=read_only)
    except sqlite3.Error as error:
        connection.close()
        raise _unopened(path, error) from error
    return connection


def _unopened(path: Path, error: sqlite3.Error) -> AdapterError | sqlite3.Error:
    found = translate(error)
    return type(found)(f"{found.message} ({path})") if isinstance(found, StoreUnavailable) else found


def checkpoint(connection: sqlite3.Connection, *, cut: bool) -> bool:
    """Move the write-ahead log into the file, and with `cut` leave nothing of it. Only under the write lock.

    False when a reader still needs the log: nothing is lost, the next time does it.
    """
    waits = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout=0")  # never wait for readers while holding the writers up
    try:
        busy, logged, moved = connection.execute(
            f"PRAGMA wal_checkpoint({'TRUNCATE' if cut else 'PASSIVE'})"
        ).fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={waits}")
    return not busy and bool(logged == moved)


class Connections:
    """One process's connections: one for whoever holds the write lock, and as many for reading as read at once."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self.mutex = threading.Lock()
        self._path = path
        self._wal = Path(f"{path}-wal")
        self._timeout = timeout_seconds
        self._writer: _Opened | None = None
        self._readers: list[_Opened] = []
        self._rows_at_checkpoint = self._rows_at_commit = 0

    def writer(self) -> sqlite3.Connection:
        """Call only while holding the write lock."""
        file = self._file()
        if self._writer is not None and self._writer.file != file:
            self.drop_writer()
        if self._writer is None:
            self._rows_at_checkpoint = self._rows_at_commit = 0  # it counts its own
            with self.mutex:  # as a reader's
                self._writer = _Opened(connect(self._path, min(self._timeout, BUSY_STEP_SECONDS)), file)
        return self._writer.connection

    def is_closed(self) -> bool:
        """Whether none is open that is not reading now. Call while holding `mutex`."""
        return self._writer is None and not self._readers

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection nobody else uses meanwhile; it cannot write."""
        opened = self._idle_reader(self._file())
        try:
            yield opened.connection
        finally:
            self._give_back(opened)

    def makes_checkpoint_due(self, connection: sqlite3.Connection) -> bool:
        """After a commit, under the write lock: whether that alone wrote so much."""
        return connection.total_changes - self._rows_at_commit >= CHECKPOINT_ROWS

    def checkpoint_if_due(self, connection: sqlite3.Connection, *, is_quiet: bool = False) -> None:
        """After a commit, under the write lock: keep the write-ahead log from growing without bound. `is_quiet`: nobody
        waits to write."""
        rows = connection.total_changes
        is_bulk, self._rows_at_commit = rows - self._rows_at_commit > BULK_ROWS, rows
        usual = min(QUIET_CHECKPOINT_ROWS, CHECKPOINT_ROWS) if is_quiet else CHECKPOINT_ROWS
        if rows - self._rows_at_checkpoint < (BULK_CHECKPOINT_ROWS if is_bulk else usual):
            return
        # However it ends: while a reader holds the log, trying after every commit would slow all writers down.
        self._rows_at_checkpoint = rows
        with suppress(OSError, sqlite3.Error):
            checkpoint(connection, cut=not is_bulk and self._wal.stat().st_size > LONGEST_LOG_BYTES)

    def log_is_empty(self) -> bool:
        """Whether the write-ahead log holds nothing, not even what was deleted. StoreUnavailable without a file."""
        self._file()
        try:
            return self._wal.stat().st_size == 0
        except OSError:
            return False

    def drop_writer(self) -> None:
        """After an error of the file or the disk: the next write opens anew. Call while holding the write lock."""
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.connection.close()
        self._writer = None

    def close_readers(self) -> None:
        """Close every connection that is not reading now. Call while holding `mutex`."""
        while self._readers:
            self._readers.pop().connection.close()

    def _idle_reader(self, file: tuple[int, int]) -> _Opened:
        with self.mutex:
            while self._readers:
                opened = self._readers.pop()
                if opened.file == file:
                    return opened
                opened.connection.close()
            # Opened under the mutex: a fork in another thread must not find a connection half made.
            return _Opened(connect(self._path, self._timeout, read_only=True), file)

    def _give_back(self, opened: _Opened) -> None:
        try:
            if opened.connection.in_transaction:
                opened.connection.execute("ROLLBACK")
        except sqlite3.Error:
            opened.connection.close()
            return
        with self.mutex:
            self._readers.append(opened)

    def _file(self) -> tuple[int, int]:
        """Which file bears the name now: on a deleted or replaced one all "works" and is lost."""
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise StoreUnavailable(f"the database is gone: {self._path}: {error.strerror}") from error
        return found.st_dev, found.st_ino


class _Opened(NamedTuple):
    connection: sqlite3.Connection
    file: tuple[int, int]


def _create_private(path: Path) -> None:
    """SQLite would leave it to the umask, by which everybody on most machines could read the callers' data."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"the database cannot be created: {path}: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection, *, read_only: bool) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    elif connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")
