"""The ways in which a store is away while calls come in, each undone at the end of its block.

`full` needs a small file system of its own, and so the right to mount one.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import databases

_COMPANIONS = ("", "-wal", "-shm")
# Enough for the service and what it reserves, and soon full.
_SMALL_DISK = "48m"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service keeps its data. `server`: its PostgreSQL, None for a file in `folder`."""

    folder: Path
    server: databases.Server | None = None

    @property
    def url(self) -> str | None:
        return self.server.url("postgres") if self.server else None


@contextmanager
def on_any_disk() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(Path(folder))


@contextmanager
def on_a_small_disk() -> Iterator[Place]:
    """CalledProcessError where mounting is not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "tmpfs", folder], check=True)
        try:
            yield Place(Path(folder))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def on_postgresql() -> Iterator[Place]:
    server = databases.Server(settings=databases.FAST)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Place(Path(folder), server)
    finally:
        server.stop()


@contextmanager
def moved(place: Place) -> Iterator[None]:
    """Somebody has moved the file, or it was not mounted."""
    aside = place.folder / "aside"
    aside.mkdir()
    for end in _COMPANIONS:
        if (file := place.folder / f"calls.db{end}").exists():
            file.rename(aside / file.name)
    yield
    for file in aside.iterdir():
        file.rename(place.folder / file.name)
    aside.rmdir()


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Somebody else's program writes and does not come to an end."""
    with databases.locked(place.folder / "calls.db"):
        yield


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Nothing more goes onto the disk: not into the database, and not beside it."""
    filling = place.folder / "filling"
    with filling.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    yield
    filling.unlink()


@contextmanager
def stopped(place: Place) -> Iterator[None]:
    """PostgreSQL is not running."""
    assert place.server is not None
    place.server.end(signal.SIGINT)
    yield
    place.server.start()


@contextmanager
def frozen(place: Place) -> Iterator[None]:
    """PostgreSQL takes connections and questions, and answers nothing."""
    assert place.server is not None
    place.server.freeze()
    try:
        yield
    finally:
        place.server.thaw()


@dataclass(frozen=True, slots=True)
class Way:
    """Where the store is, and how it is away."""

    place: Callable[[], AbstractContextManager[Place]]
    away: Callable[[Place], AbstractContextManager[None]]


WAYS = {
    "moved": Way(on_any_disk, moved),
    "locked": Way(on_any_disk, locked),
    "full": Way(on_a_small_disk, full),
    "stopped": Way(on_postgresql, stopped),
    "frozen": Way(on_postgresql, frozen),
}
