"""A durable inbox for events that could not be saved: one sealed file each, kept until it is done.

What was put is there after a power cut; files that cannot be read are set aside and block nothing. The folder is
bounded: a store that stays away must not fill the disk. Leaves out: what an event means (use cases).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapter.errors import KeyMissing, SealBroken

from .sealing import Keyring

MOST_EVENTS = 10_000
_EVENT = ".event"
_LOG = logging.getLogger(__name__)
_BROKEN = ".broken"
_LOCK = ".lock"


class Inbox:
    """A folder of waiting events. Any number of threads and processes may put; one at a time takes out."""

    def __init__(self, folder: Path, keyring: Keyring, *, most_events: int = MOST_EVENTS) -> None:
        self._folder = folder
        self._keyring = keyring
        self._most = most_events

    @classmethod
    def of(cls, url: str, state_dir: str, keyring: Keyring) -> Inbox:
        """This machine's inbox for the database: the folder `<file>.inbox`, or `inbox` below `state_dir`."""
        file = url.removeprefix("sqlite:///")
        folder = f"{state_dir}/inbox" if file == url else f"{file}.inbox"
        return cls(Path(os.path.abspath(folder)), keyring)

    def put(self, event: dict[str, Any]) -> bool:
        """True: it is on disk, and will be. False: the folder is full, or the disk does not take it."""
        # Sorts by time of arrival; the random part keeps two processes apart.
        name = f"{time.time_ns():020d}-{secrets.token_hex(8)}{_EVENT}"
        try:
            self._make_folder()
            if len(self._names()) >= self._most:
                return False
            self._write(name, self._keyring.seal(json.dumps(event), name.encode()))
        except OSError:
            return False
        return True

    def depth(self) -> int:
        """How many events wait; 0 also when that cannot be found out."""
        try:
            return len(self._names())
        except OSError:
            return 0

    def waiting(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, event), in order of arrival. Nothing while another process is at it.

        What is not reported `done` comes again the next time.
        """
        with self._alone() as alone:
            for name in self._names() if alone else ():
                event = self._read(name)
                if event is not None:
                    yield name, event

    def done(self, name: str) -> None:
        """The event is saved elsewhere now; saying so twice does no harm."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).unlink()

    def set_aside(self, name: str) -> None:
        """Not to be applied, kept for a look by hand."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).rename((self._folder / name).with_suffix(_BROKEN))

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self._folder.parent)  # or a power cut could take the folder, and with it what is in it

    def _names(self) -> list[str]:
        with os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(_EVENT))

    def _write(self, name: str, sealed: bytes) -> None:
        temporary = self._folder / f"{name}.new"
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._folder / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self._folder / name
        try:
            event = json.loads(self._keyring.open(path.read_bytes(), name.encode()))
        except FileNotFoundError:
            return None
        except KeyMissing as error:
            # Left in its place until the key is back.
            _LOG.error("a waiting event cannot be opened: %s", error.message)
            return None
        except (SealBroken, ValueError):
            event = None
        if isinstance(event, dict):
            return event
        self.set_aside(name)
        return None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Two processes applying the same event at once would charge for it twice."""
        try:
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            yield False
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
