"""What Python itself writes to the inbox's journal, seen and spoilt like SQLite's calls (`vfs`).

Leaves out: names (a new file, a renaming), which are there once their folder is synced.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.vfs import Call, Does, Fault, Observer

_ERRNO = {Fault.FULL: errno.ENOSPC, Fault.BROKEN: errno.EIO}


def watch(observer: Observer) -> None:
    """Of this process, for good."""
    write, synced = os.pwrite, {"fsync": os.fsync, "fdatasync": os.fdatasync}

    def pwrite(file: int, data: bytes, at: int) -> int:
        _ask(observer, file, Does.WRITE, at, bytes(data))
        return write(file, data, at)

    def syncing(real: Callable[[int], Any]) -> Callable[[int], None]:
        def sync(file: int) -> None:
            _ask(observer, file, Does.SYNC)
            real(file)

        return sync

    os.pwrite = pwrite  # type: ignore[assignment]
    for name, real in synced.items():
        setattr(os, name, syncing(real))


def _ask(observer: Observer, file: int, does: Does, at: int = 0, data: bytes = b"") -> None:
    name = Path(os.readlink(f"/proc/self/fd/{file}")).name
    fault = observer(Call(does, name, at, data)) if name.endswith(".journal") else Fault.NONE
    if fault is not Fault.NONE:
        raise OSError(_ERRNO[fault], os.strerror(_ERRNO[fault]))
