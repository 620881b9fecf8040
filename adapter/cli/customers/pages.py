"""A file of customers by pages of checked records; a big file is read and checked by a second process meanwhile.

Leaves out: what a record may be (`web.rest.customer_records`), what becomes of it.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from operator import attrgetter
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Final

import click

from adapter.cli.cycles import AMONG_RECORDS, look_seldom
from adapter.engine.model import Hints, IntentUpdate, Millis, VariableUpdate
from adapter.engine.policy import VariablePolicy
from adapter.usecases import Record
from adapter.web.rest.customer_records import read_record

from .files import Read, records

# Bytes from which on it is worth starting a second process.
_BIG: Final = 2_000_000
# As much as a transaction takes, and the next.
_PAGES_AHEAD: Final = 20

# A record, or the line of one that is wrong, and what is wrong with it.
Checked = Record | tuple[int, str]
# At which byte of the file it ends, and what is on it.
Page = tuple[int, list[Checked]]
# None at the end.
_Sent = Page | click.ClickException | None


@dataclass(frozen=True, slots=True)
class Source:
    """What is left of a file after the first `already` records. `now`: no contact can have been later."""

    file: Path
    already: int
    policy: VariablePolicy
    now: Millis


def checked_pages(source: Source, size: int) -> Iterator[Page]:
    """All pages in order, of `size` records. click.UsageError when the file is of neither kind."""
    return _from_another_process(source, size) if source.file.stat().st_size >= _BIG else _pages(source, size)


def _pages(source: Source, size: int) -> Iterator[Page]:
    reading = islice(records(source.file), source.already, None)
    while page := list(islice(reading, size)):
        yield page[-1].end, [_checked(read, source.policy, source.now) for read in page]


def _from_another_process(source: Source, size: int) -> Iterator[Page]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    other = context.Process(target=_send, args=(theirs, source, size), daemon=True)
    with _uninterrupted():
        other.start()
    theirs.close()
    ahead: Queue[_Sent] = Queue(_PAGES_AHEAD)
    Thread(target=_receive, args=(ours, ahead), daemon=True).start()
    while (got := ahead.get()) is not None:
        if isinstance(got, click.ClickException):
            raise got
        yield got


def _receive(ours: Connection, ahead: Queue[_Sent]) -> None:
    """A pipe holds less than a page: without this the other process would wait for as long as a transaction takes."""
    with ours:
        got: _Sent = (0, [])
        while isinstance(got, tuple):
            try:
                got = ours.recv()
            except EOFError:
                got = click.ClickException("the process that reads the file was killed; run the command again")
            ahead.put(got)


def _send(to: Connection, source: Source, size: int) -> None:
    """In the second process; whoever started it may be gone meanwhile."""
    look_seldom(AMONG_RECORDS)
    for kind in (Record, Hints, IntentUpdate, VariableUpdate):
        ForkingPickler.register(kind, _as_call)
    with suppress(BrokenPipeError):
        try:
            for page in _pages(source, size):
                to.send(page)
            to.send(None)
        except click.UsageError as error:
            to.send(click.UsageError(error.message))


def _as_call(sent: Any) -> tuple[type, tuple[Any, ...]]:
    """How to make it anew. Dataclasses with slots travel field by field otherwise: 5 % of an import."""
    return type(sent), attrgetter(*sent.__slots__)(sent)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started here never hears Ctrl-C: a terminal sends it to both, and the first one ends the other."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _checked(read: Read, policy: VariablePolicy, now: Millis) -> Checked:
    if read.wrong:
        return read.line, read.wrong
    found = read_record(read.value, read.line, policy, now)
    return found if isinstance(found, Record) else (read.line, "; ".join(issue.message for issue in found))
