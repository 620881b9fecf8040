"""SQLite's own calls to the disk, seen and spoilt from Python: a file system between SQLite and the real one.

Registers a VFS in the library that Python's `sqlite3` uses, through `ctypes`: the product's connections go through it
unchanged, nothing is compiled or installed, and no tracer is needed. Leaves out: what is done with a call (`killing`,
`failing`, `tests.powercut`), shared memory (of which nothing outlives a power cut), what Python writes itself
(`python_files`).
"""

from __future__ import annotations

import _sqlite3
import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p, cast, string_at
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path


class Does(StrEnum):
    """What is done to a file."""

    WRITE = "write"
    SYNC = "sync"
    TRUNCATE = "truncate"
    DELETE = "delete"


class Fault(IntEnum):
    """What the disk answers, as SQLite knows it."""

    NONE = 0
    FULL = 13  # SQLITE_FULL, for ENOSPC
    BROKEN = 10  # SQLITE_IOERR, for EIO


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `at`: where a write begins, or the size that a truncation leaves."""

    does: Does
    file: str
    at: int = 0
    data: bytes = b""


# Called before the real thing. With a fault the real thing is not done.
Observer = Callable[[Call], Fault]

_DEFAULT = 1
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
# SQLite tells errors of the disk apart by what was done.
_KINDS = {Does.WRITE: 3 << 8, Does.SYNC: 4 << 8, Does.TRUNCATE: 6 << 8, Does.DELETE: 10 << 8}
# For good: SQLite holds pointers into them, of which Python's garbage collector knows nothing.
_INSTALLED: list[object] = []


class _Methods(Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [("version", c_int)] + [
        (name, c_void_p)
        for name in (
            *("close", "read", "write", "truncate", "sync", "file_size", "lock", "unlock", "check_reserved_lock"),
            *("file_control", "sector_size", "device_characteristics"),
            *("shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch"),
        )
    ]


class _Vfs(Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = [
        *(("version", c_int), ("file_size", c_int), ("longest_path", c_int)),
        *(("next", c_void_p), ("name", c_char_p), ("app_data", c_void_p), ("open", c_void_p), ("delete", c_void_p)),
        *((f"other{at}", c_void_p) for at in range(14)),
    ]


class Between:
    """The file system in between, of this process, from `install` on. End it with os._exit, or close all connections
    before: at Python's end SQLite would call what is no longer there."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self._names: dict[int, str] = {}
        self._kept: list[object] = []  # what C holds pointers to
        self._replaced: dict[int, _Methods] = {}

    def install(self) -> None:
        """Every connection that is opened from now on goes through it. RuntimeError without a usable SQLite."""
        library = ctypes.CDLL(_sqlite3.__file__)  # also finds what it is linked with
        try:
            find, register = library.sqlite3_vfs_find, library.sqlite3_vfs_register
        except AttributeError:
            raise RuntimeError("Python's sqlite3 hides its library here: use one that is linked with it") from None
        find.restype, find.argtypes = POINTER(_Vfs), [c_char_p]
        register.argtypes = [POINTER(_Vfs), c_int]
        base = find(None).contents
        mine = _Vfs.from_buffer_copy(base)
        mine.name = b"between"
        self._open, self._delete = _OPEN(base.open), _DELETE(base.delete)
        opened, deleted = _OPEN(self._opened), _DELETE(self._deleted)
        mine.open, mine.delete = cast(opened, c_void_p).value, cast(deleted, c_void_p).value
        self._kept += [base, mine, opened, deleted]
        _INSTALLED.append(self)
        assert register(byref(mine), _DEFAULT) == 0

    def _opened(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        found = self._open(vfs, name, file, flags, out)
        if found == 0 and name:
            self._names[file] = Path(string_at(name).decode()).name
            methods = c_void_p.from_address(file)  # the first field of sqlite3_file
            if methods.value is not None:
                methods.value = ctypes.addressof(self._spoilt(methods.value))
        return int(found)

    def _deleted(self, vfs: int, name: bytes, synced: int) -> int:
        return self._answer(Call(Does.DELETE, Path(name.decode()).name)) or int(self._delete(vfs, name, synced))

    def _answer(self, call: Call) -> int:
        fault = self.observer(call)
        return fault | _KINDS[call.does] if fault is Fault.BROKEN else int(fault)

    def _spoilt(self, address: int) -> _Methods:
        """A copy of the methods at this address with ours in it."""
        if address not in self._replaced:
            real = _Methods.from_address(address)
            mine = _Methods.from_buffer_copy(real)
            write, truncate, sync = _WRITE(real.write), _TRUNCATE(real.truncate), _SYNC(real.sync)

            def on_write(file: int, data: int, size: int, at: int) -> int:
                wrong = self._answer(Call(Does.WRITE, self._names[file], at, string_at(data, size)))
                return wrong or int(write(file, data, size, at))

            def on_truncate(file: int, size: int) -> int:
                return self._answer(Call(Does.TRUNCATE, self._names[file], size)) or int(truncate(file, size))

            def on_sync(file: int, flags: int) -> int:
                return self._answer(Call(Does.SYNC, self._names[file])) or int(sync(file, flags))

            calls = (_WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync))
            mine.write, mine.truncate, mine.sync = (cast(each, c_void_p).value for each in calls)
            self._kept += [mine, *calls, write, truncate, sync]
            self._replaced[address] = mine
        return self._replaced[address]
