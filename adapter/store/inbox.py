"""A durable inbox for events that could not be saved: sealed, kept on this machine until they are done.

What was put is there after a power cut, and can be put although the disk is full (`journal`); what cannot be read is
set aside and blocks nothing. The inbox is bounded: a store that stays away must not fill the disk. Leaves out: what an
event means (use cases).
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

from adapter.engine.model import Millis
from adapter.engine.policy import SECOND
from adapter.errors import KeyMissing, SealBroken

from .journal import Journal
from .sealing import Keyring

# A hundred thousand events, eight thousand of them although the disk is full.
MOST_BYTES = 64 * 1024 * 1024
RESERVED_BYTES = 4 * 1024 * 1024
_ID_BYTES = 16
_JOURNAL = "events.journal"
_BROKEN = ".broken"
_LOCK = ".lock"
_LOG = logging.getLogger(__name__)


class Inbox:
    """A folder of waiting events. Any number of threads and processes may put; one at a time takes out."""

    def __init__(self, folder: Path, keyring: Keyring, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._keyring = keyring
        self._journal = Journal(folder / _JOURNAL, most_bytes=most_bytes, reserved_bytes=RESERVED_BYTES)

    @classmethod
    def of(cls, url: str, state_dir: str, keyring: Keyring) -> Inbox:
        """This machine's inbox for the database: the folder `<file>.inbox`, or `inbox` below `state_dir`."""
        file = url.removeprefix("sqlite:///")
        folder = f"{state_dir}/inbox" if file == url else f"{file}.inbox"
        return cls(Path(os.path.abspath(folder)), keyring)

    def reserve(self) -> None:
        """Take room on the disk for some thousand events, while there is any."""
        try:
            self._journal.reserve()
        except OSError as error:
            _LOG.warning("no room can be reserved for events that wait for the database: %s", error.strerror)

    def put(self, event: dict[str, Any]) -> bool:
        """True: it is on disk, and will be. False: the inbox is full, or the disk does not take it."""
        # Each is sealed to a name of its own: what is copied elsewhere does not open.
        name = secrets.token_bytes(_ID_BYTES)
        try:
            return self._journal.append(name + self._keyring.seal(json.dumps(event), name))
        except OSError:
            return False

    def depth(self, most: int | None = None) -> int:
        """How many events wait; 0 also when that cannot be found out. Of more than `most` no more are looked at."""
        try:
            return self._journal.count(most)
        except OSError:
            return 0

    def waiting(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(name, event), in order of arrival. Nothing while another process is at it.

        What is not reported `done` comes again the next time.
        """
        with self._alone() as alone:
            if not alone:
                return
            self._adopt_files()
            for name, payload in self._journal.waiting():
                event = self._opened(name, payload)
                if event is not None:
                    yield name, event

    def tidy(self) -> None:
        """Give back the room of what is done. Not when `waiting` ends: who has taken the last ones marks them after."""
        with contextlib.suppress(OSError), self._alone() as alone:  # the next time, then
            if alone:
                self._journal.tidy()

    def done(self, name: int) -> None:
        """The event is saved elsewhere now; saying so twice does no harm."""
        self._journal.mark_done(name)

    def set_aside(self, name: int) -> None:
        """Not to be applied, kept for a look by hand until `forget_set_aside`."""
        aside = self._folder / f"{time.time_ns():020d}-{name}{_BROKEN}"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self._journal.raw(name))
        self._journal.mark_done(name)

    def forget_set_aside(self, before: Millis) -> None:
        """Remove what was set aside before then: it may be personal data, and readable."""
        with contextlib.suppress(OSError):  # the next time, then
            for file in self._folder.glob(f"*{_BROKEN}"):
                if file.stat().st_mtime * SECOND < before:
                    file.unlink()

    def _opened(self, name: int, payload: bytes | None) -> dict[str, Any] | None:
        try:
            event = None if payload is None else self._event(payload)
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

    def _event(self, payload: bytes) -> Any:
        return json.loads(self._keyring.open(payload[_ID_BYTES:], payload[:_ID_BYTES]))

    def _adopt_files(self) -> None:
        """Earlier versions kept each event in a file of its own, sealed to the file's name."""
        for file in sorted(self._folder.glob("*.event")):
            try:
                adopted = self.put(json.loads(self._keyring.open(file.read_bytes(), file.name.encode())))
            except KeyMissing:
                continue
            except (SealBroken, ValueError):
                file.rename(file.with_suffix(_BROKEN)).touch()
            else:
                if adopted:
                    file.unlink()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Two processes applying the same event at once would do it in another order than it happened."""
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
