"""A disk that loses power: which content files may have then.

What was synced is there. Each write, truncation or deletion after a file's last sync is there, is not, or (a write) is
there in part, sector by sector; one file's syncs say nothing of another's. Leaves out: sectors that nobody wrote to and
that change all the same (no file system that SQLite runs on does that), and folders (a new file's name is synced with
the file by SQLite, with its folder by the inbox).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.faults.vfs import Call, Does

_SECTOR = 512


@dataclass
class Disk:
    """`synced`: what is there for certain. `pending`: what was done to each file since, in order."""

    synced: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, list[Call]] = field(default_factory=dict)

    def take(self, call: Call) -> None:
        """It was done."""
        if call.does is Does.SYNC:
            self.synced[call.file] = _done(self.synced.get(call.file, b""), self.pending.pop(call.file, []))
        else:
            self.pending.setdefault(call.file, []).append(call)

    def cut_off_in(self, call: Call | None, random: Random) -> dict[str, bytes]:
        """One of the states in which the files may be found after a cut. `call` was being done, None: nothing was."""
        found = dict(self.synced)
        for file in {*self.pending, *({call.file} if call else ())}:
            calls = [*self.pending.get(file, ())]
            if call is not None and call.file == file and call.does is not Does.SYNC:
                calls.append(call)
            found[file] = _done(found.get(file, b""), _survivors(calls, random))
        return {file: data for file, data in found.items() if data or file in self.synced}


def _survivors(calls: list[Call], random: Random) -> Iterable[Call]:
    """Some file systems keep the order, so that only the last ones are lost; others keep none."""
    if random.random() < 0.5:
        chosen = calls[: random.randint(0, len(calls))]
    else:
        share = random.random()
        chosen = [call for call in calls if random.random() < share]
    return [part for call in chosen for part in _torn(call, random)]


def _torn(call: Call, random: Random) -> list[Call]:
    if call.does is not Does.WRITE or random.random() < 0.7:
        return [call]
    parts = (Call(call.does, call.file, call.at + at, call.data[at : at + _SECTOR]) for at in _sectors(call))
    return [part for part in parts if random.random() < 0.5]


def _sectors(call: Call) -> range:
    return range(0, len(call.data), _SECTOR)


def _done(data: bytes, calls: Iterable[Call]) -> bytes:
    after = bytearray(data)
    for call in calls:
        if call.does is Does.WRITE:
            after.extend(bytes(max(0, call.at - len(after))))
            after[call.at : call.at + len(call.data)] = call.data
        else:
            size = call.at if call.does is Does.TRUNCATE else 0
            del after[size:]
            after.extend(bytes(size - len(after)))
    return bytes(after)
