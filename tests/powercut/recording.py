"""A service at work, and all that it does to its disk, with a mark where an answer was given.

Runs in a process of its own: the file system in between stays for as long as a process lives.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from os import _exit
from pathlib import Path

from adapter.store.sqlite import connections as sqlite
from adapter.usecases import apply_waiting
from tests.faults import python_files
from tests.faults.asked import Answered, Asking, Fact, prepared
from tests.faults.killing import store_away
from tests.faults.vfs import Between, Call, Does, Fault

# The log is folded in, and cut, more often than in earnest, so that more cuts fall into that.
_CHECKPOINT_ROWS = 25
_LONGEST_LOG_BYTES = 256 * 1024
# So often the store is away while a call ends, and what was kept is applied a call later.
_AWAY_EVERY = 5


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody was told that this is saved."""

    fact: Fact


Event = Call | Told


@dataclass(frozen=True, slots=True)
class Recording:
    """`before`: the files' content, by their path in the folder of the database."""

    before: dict[str, bytes]
    events: list[Event]


def record(folder: Path, calls: int, synchronous: str = "FULL", inbox_synced: bool = True) -> Recording:
    """So many calls by the API and as many by telephone. `synchronous` is the database's setting, FULL in earnest;
    `inbox_synced` False: the inbox is told to be on the disk before it is."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_record, args=(theirs, folder, calls, synchronous, inbox_synced))
    process.start()
    theirs.close()
    try:
        recording: Recording = mine.recv()
    finally:
        process.join()
    return recording


def _record(told: Connection, folder: Path, calls: int, synchronous: str, inbox_synced: bool) -> None:
    logging.disable(logging.CRITICAL)
    events: list[Event] = []

    def note(call: Call) -> Fault:
        if inbox_synced or call.does is not Does.SYNC or not call.file.endswith(".journal"):
            events.append(call)
        return Fault.NONE

    config = prepared(folder)
    before = {"calls.db": (folder / "calls.db").read_bytes()}
    Between(note).install()
    python_files.watch(note)
    sqlite._PRAGMAS = (*sqlite._PRAGMAS, f"PRAGMA synchronous={synchronous}")
    sqlite.CHECKPOINT_ROWS, sqlite.LONGEST_LOG_BYTES = _CHECKPOINT_ROWS, _LONGEST_LOG_BYTES
    asking = Asking(config)
    for number in range(calls):
        _call(asking, number, lambda ask: events.append(Told(_saved(ask()))))
        if number % _AWAY_EVERY == 0:
            apply_waiting(asking.service)
        if number % 20 == 19:
            asking.service.store.truncate_log()
    told.send(Recording(before, events))
    _exit(0)


def _call(asking: Asking, number: int, do: Callable[[Callable[[], Answered]], None]) -> None:
    for ask in asking.call_by_api(2 * number):
        do(ask)
    greet, *rest = asking.call_by_telephone(2 * number + 1)
    do(greet)
    with store_away(number % _AWAY_EVERY == _AWAY_EVERY - 1):
        for ask in rest:
            do(ask)


def _saved(answered: Answered) -> Fact:
    assert answered.saved, answered
    assert not answered.fault, answered
    return answered.fact
