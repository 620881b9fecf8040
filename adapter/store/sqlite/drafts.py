"""A whole copy of a database on its way to its name, and what is left of one whose maker was killed: that is removed,
or a copy of everybody would lie there for good, under a name that nobody looks for.

Whether somebody is still at theirs shows in a lock on the folder, which the system takes back from who is killed.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# What SQLite and a store keep beside their file.
_COMPANIONS: Final = ("-journal", "-wal", "-shm", ".lock")
_NAMES: Final = re.compile(rf"\..+\.[0-9a-f]{{16}}\.part({'|'.join(map(re.escape, _COMPANIONS))})?", re.DOTALL)


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A name in the same folder, so that it can take `target`'s place in one step. What has it afterwards is removed,
    and so is before what killed ones have left, of any name: yesterday's backup had another one. OSError when the
    folder cannot be opened."""
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        if _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            _remove_all(target.parent)
        _locked(folder, fcntl.LOCK_SH)
        try:
            yield draft
        finally:
            for suffix in ("", *_COMPANIONS):
                Path(f"{draft}{suffix}").unlink(missing_ok=True)
    finally:
        os.close(folder)


def _locked(folder: int, how: int) -> bool:
    """False: somebody else is at theirs. Also where folders cannot be locked (NFS): nothing is removed there, then."""
    try:
        fcntl.flock(folder, how)
    except OSError:
        return False
    return True


def _remove_all(folder: Path) -> None:
    for file in folder.iterdir():
        if _NAMES.fullmatch(file.name):
            file.unlink(missing_ok=True)
