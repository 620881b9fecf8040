"""A file of lines that any number of processes append to, with older ones beside it: `x`, `x.1`, `x.2` …

Whatever stops a writer (kill, full disk), what was written before stays readable: whole lines are appended under a
lock, a line that did not fit is taken back, and what a killed writer left half done is closed by the next one.
Leaves out: what is in the lines, and waiting (`recorder`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path


def parts(path: Path) -> list[Path]:
    """The files of a recording that exist, the oldest first."""
    found = []
    number = 1
    while (older := _older(path, number)).exists():
        found.append(older)
        number += 1
    return [*reversed(found), *([path] if path.exists() else [])]


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """While nobody appends to the recording or rotates its files. OSError."""
    while True:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(file.fileno(), path):
                yield
                return


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that is there now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


class RotatingFile:
    """At most `files` files of about `most_bytes` each, mode 0600. Not for two threads at once."""

    def __init__(self, path: Path, *, most_bytes: int = 32 * 1024 * 1024, files: int = 5) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._files = max(1, files)

    def append(self, lines: Sequence[bytes]) -> None:
        """Write whole lines. Raises OSError, and then nothing of them is in the file."""
        data = b"".join(lines)
        while True:
            with self._locked() as descriptor:
                if descriptor is None:
                    continue
                size = os.fstat(descriptor).st_size
                if not size or size + len(data) <= self._most_bytes:
                    self._write(descriptor, size, data)
                    return
                self._rotate()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int | None]:
        """The file, open and locked; None when another process rotated it away in between."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor if is_at(descriptor, self._path) else None
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not through a link: in a folder that others can write to, it could lead anywhere.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o600)
        return descriptor

    def _write(self, descriptor: int, size: int, data: bytes) -> None:
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            younger = _older(self._path, number - 1)
            with contextlib.suppress(FileNotFoundError):
                younger.replace(_older(self._path, number))
        if self._files == 1:
            self._path.unlink()
        # Kept when more were: nobody else would remove them, and a replay would still read them.
        number = self._files
        while (beyond := _older(self._path, number)).exists():
            beyond.unlink()
            number += 1


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path
