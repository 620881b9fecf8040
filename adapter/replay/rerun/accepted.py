"""New answers written into a recording: a new file that takes the old one's place at once, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from adapter.replay.recording import Recorded, held, is_at, line_of

from .targets import Rerun


class Rotated(Exception):
    """Another file has taken the recording's place since it was opened."""


class Accepted:
    """One recording being rewritten: everything that is read of it has to be written, in order, then `finish`."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # not the link that leads to it
        self._draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")

    def keep(self, recorded: Recorded) -> None:
        """As it was."""
        self._file.write(line_of(recorded))

    def take(self, rerun: Rerun) -> None:
        """With the new answer, if there is one."""
        recorded = rerun.recorded
        new = replace(recorded, answer=rerun.answer or recorded.answer, receipt=rerun.receipt or recorded.receipt)
        self.keep(new)

    def finish(self, read: BinaryIO, current: Path | None = None) -> None:
        """On the disk, and in the old one's place, with what was appended since `read`, the old one, was at its end.

        `current`: the file of the recording that is written to, if that is another. OSError, Rotated: all is as it was.
        """
        with held((current or self._path).resolve()):
            if not is_at(read.fileno(), self._path):
                raise Rotated
            shutil.copyfileobj(read, self._file)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._draft.replace(self._path)

    def give_up(self) -> None:
        """The old one stays. Nothing after `finish`."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._draft.unlink()
