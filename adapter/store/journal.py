"""A file to which records are appended: one that was appended survives a power cut, and room for some is taken ahead,
so that it can be appended when the disk is full.

Any number of processes append, under a lock on the file that is held for microseconds. One at a time reads and marks
what is done, which its user sees to. After 16 bytes that name the file, a record begins at a multiple of the sector's
size, so that none is half marked:

    "W" waiting, "D" done · length of the payload (4 bytes) · check (16 bytes) · payload

A zero in place of the first byte ends them. Where the check does not fit, a power cut has torn the record: it was never
told to be there. What is done is overwritten: it may be personal data. Leaves out: what a payload is (`inbox`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from .disk import sync

MOST_PAYLOAD_BYTES = 64 * 1024
SECTOR_BYTES = 512
_NAME_BYTES = 16
_HEADER = struct.Struct(">cI16s")
_WAITING, _DONE, _NONE = b"W", b"D", b"\0"
# Whoever has the lock needs it for microseconds; a process that was stopped with it must not stop all others.
_LOCK_SECONDS = 1.0
_POLL_SECONDS = 0.001
# So much that is done is worth a new file.
_WASTE_BYTES = 1024 * 1024


class Record(NamedTuple):
    """`at`: names it. `payload` None: it is torn."""

    at: int
    payload: bytes | None


class _Place(NamedTuple):
    """In the file of this name; an inode would not do, the next file may get the same."""

    name: bytes
    at: int


class Journal:
    """One such file. OSError when the disk or the system refuses."""

    def __init__(self, path: Path, *, most_bytes: int, reserved_bytes: int) -> None:
        """`most_bytes`: it grows no longer. `reserved_bytes`: what `reserve` takes of the disk."""
        self._path = path
        self._most = most_bytes
        self._reserved = reserved_bytes
        # Before the one all is done; up to the other there are records, and those that somebody else has appended.
        self._first = self._last = _Place(b"", SECTOR_BYTES)
        # The name of the file of which `waiting` has told.
        self._read = b""

    def append(self, payload: bytes) -> bool:
        """True: it is on the disk. False: there is no room for it."""
        while True:
            with _opened(self._path, create=True) as file:
                with _alone(file):
                    if not self._is_current(file):
                        continue
                    at = self._end(file)
                    if len(payload) > MOST_PAYLOAD_BYTES or at + _room(len(payload)) > self._most:
                        return False
                    _write(file, at, payload)
                os.fdatasync(file)
                return True

    def waiting(self) -> Iterator[Record]:
        """What is not done, in the order in which it was appended; also what is appended meanwhile."""
        with suppress(FileNotFoundError), _opened(self._path) as file:
            self._read = os.pread(file, _NAME_BYTES, 0)
            for at, length, check in self._waiting(file):
                payload = os.pread(file, length, at + _HEADER.size)
                yield Record(at, payload if _check(at, payload) == check else None)

    def count(self, most: int | None = None) -> int:
        """How many wait; of more than `most` no more than those are looked at."""
        with suppress(FileNotFoundError), _opened(self._path) as file:
            return sum(1 for _ in islice(self._waiting(file), most))
        return 0

    def raw(self, at: int) -> bytes:
        """The payload of a record that `waiting` gave, torn or not."""
        with _opened(self._path) as file:
            return os.pread(file, _length(file, at), at + _HEADER.size)

    def mark_done(self, at: int) -> None:
        """Of a record that `waiting` gave; again does no harm. Not done when its file has been replaced since: another
        record may be at its place now, and it is given again."""
        with _opened(self._path) as file:
            if os.pread(file, _NAME_BYTES, 0) == self._read:
                length = _length(file, at)
                os.pwrite(file, _HEADER.pack(_DONE, length, b"") + bytes(length), at)

    def tidy(self) -> None:
        """After much was done: what waits goes on in a new file. Nobody may be at `waiting` meanwhile."""
        with suppress(FileNotFoundError), _opened(self._path) as file:
            done, last = 0, SECTOR_BYTES
            for at, state, length, _ in _headers(file):
                done, last = done + (_room(length) if state == _DONE else 0), at
            if done > _WASTE_BYTES:
                self._begin_anew(file, last)

    def reserve(self) -> None:
        """Take room on the disk ahead of the need for it."""
        with _opened(self._path, create=True) as file, _alone(file):
            if os.fstat(file).st_size < self._reserved:
                os.posix_fallocate(file, 0, self._reserved)
                os.fsync(file)

    def _begin_anew(self, file: int, last: int) -> None:
        """What is before the `last` record is complete: it is copied while others append."""
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        try:
            with _opened(draft, create=True) as copy:
                os.posix_fallocate(copy, 0, self._reserved)
                _name(copy)
                end = _copy_waiting(file, copy, SECTOR_BYTES, until=last, to=SECTOR_BYTES)
                os.fsync(copy)
                with _alone(file):
                    _copy_waiting(file, copy, last, until=self._most, to=end)
                    os.fsync(copy)
                    draft.rename(self._path)
                    sync(self._path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def _is_current(self, file: int) -> bool:
        """What is appended to a file that was replaced while its lock was waited for is lost."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(file))
        except FileNotFoundError:
            return False

    def _waiting(self, file: int) -> Iterator[tuple[int, int, bytes]]:
        name = os.pread(file, _NAME_BYTES, 0)
        before = True
        for at, state, length, check in _headers(file, self._first.at if self._first.name == name else SECTOR_BYTES):
            if state == _WAITING:
                before = False
                yield at, length, check
            elif before:
                self._first = _Place(name, at + _room(length))

    def _end(self, file: int) -> int:
        """Call while holding the lock."""
        name, end = _name(file), self._last.at
        if name != self._last.name:
            sync(self._path.parent)  # whoever has made the file may not have come to it
            end = SECTOR_BYTES
        for at, _, length, _ in _headers(file, end):
            end = at + _room(length)
        self._last = _Place(name, end)
        return end


def make_folder(folder: Path) -> None:
    """For its owner alone."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)  # or a power cut could take the folder, and with it what is in it


@contextmanager
def _opened(path: Path, *, create: bool = False) -> Iterator[int]:
    if create:
        make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _alone(file: int) -> Iterator[None]:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _name(file: int) -> bytes:
    """A new file gets one. Call while holding the lock."""
    name = os.pread(file, _NAME_BYTES, 0)
    if not name.strip(_NONE):
        name = secrets.token_bytes(_NAME_BYTES)
        os.pwrite(file, name, 0)
    return name


def _headers(file: int, start: int = SECTOR_BYTES) -> Iterator[tuple[int, bytes, int, bytes]]:
    """(where, state, length, check) of every record from `start` on."""
    at = start
    while len(header := os.pread(file, _HEADER.size, at)) == _HEADER.size:
        state, length, check = _HEADER.unpack(header)
        if state not in (_WAITING, _DONE) or length > MOST_PAYLOAD_BYTES:
            return
        yield at, state, length, check
        at += _room(length)


def _copy_waiting(file: int, copy: int, start: int, *, until: int, to: int) -> int:
    """The records from `start` on, those that are torn left out; where the next one goes to."""
    for at, state, length, check in _headers(file, start):
        if at >= until:
            break
        payload = os.pread(file, length, at + _HEADER.size)
        if state == _WAITING and _check(at, payload) == check:
            _write(copy, to, payload)
            to += _room(length)
    return to


def _length(file: int, at: int) -> int:
    length: int = _HEADER.unpack(os.pread(file, _HEADER.size, at))[1]
    return length


def _write(file: int, at: int, payload: bytes) -> None:
    record = _HEADER.pack(_WAITING, len(payload), _check(at, payload)) + payload
    try:
        if os.pwrite(file, record, at) < len(record):
            raise OSError("the disk took only a part of it")
    except OSError:
        with suppress(OSError):
            os.pwrite(file, _NONE, at)
        raise


def _check(at: int, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=16, salt=at.to_bytes(16, "big")).digest()


def _room(length: int) -> int:
    """What a payload of this length takes, its header and the rest of the last sector included."""
    return -(-(_HEADER.size + length) // SECTOR_BYTES) * SECTOR_BYTES
