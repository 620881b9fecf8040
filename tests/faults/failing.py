"""A disk that fails (EIO) or is full (ENOSPC) at every k-th call made to it: every answer is one, and nothing is lost.

A client of the API is told 503 in JSON, a caller is put through. Asked again it is saved, and once; so is what comes
after it. Leaves out: a disk that takes nothing of the inbox either (`tests.outage` has a full one).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapter.store.sqlite import connections as sqlite
from adapter.usecases import apply_waiting
from tests.faults.asked import Answered, Asking, Fact, prepared
from tests.faults.found import found
from tests.faults.vfs import Between, Call, Does, Fault

Ask = Callable[[], Answered]
_ALL = (Does.WRITE, Does.SYNC, Does.TRUNCATE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`lasts`: from the k-th of these calls until there is an answer; else at that one call."""

    fault: Fault
    does: tuple[Does, ...]
    lasts: bool

    def __str__(self) -> str:
        what = "any call" if self.does == _ALL else "a " + self.does[0]
        return f"{self.fault.name.lower()} at {what}{', from then on' if self.lasts else ''}"


_KINDS = (*((Fault.BROKEN, (does,)) for does in _ALL), (Fault.BROKEN, _ALL), (Fault.FULL, (Does.WRITE,)))
TROUBLES = tuple(Trouble(fault, does, lasts) for fault, does in _KINDS for lasts in (False, True))


@dataclass
class Failed:
    """`points`: failures that were made, by trouble. `refused`: answers that said so. `wrong`: sentences."""

    points: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def fail_everywhere(folder: Path, every: int = 1, sabotage: Callable[[], None] | None = None) -> Failed:
    """Every `every`-th call to the disk fails once in each way. Ends with the file system in between installed: for a
    process of its own. `sabotage` makes a bug, to be found."""
    disk, failed, told = _Disk(), Failed(), set[Fact]()
    Between(disk.answer).install()
    # The log is folded in and cut each time: as many calls to the disk as there can be.
    sqlite.CHECKPOINT_ROWS, sqlite.LONGEST_LOG_BYTES = 1, 0
    asking = Asking(prepared(folder))
    if sabotage is not None:
        sabotage()
    numbers = itertools.count(1)
    for trouble in TROUBLES if sabotage is None else TROUBLES[:2]:
        for place in range(_PLACES):
            for point in itertools.count(1, every):
                asks = list(_whole_call(asking, next(numbers)))
                if not _fail_at(disk, trouble, point, asks, place, failed, told):
                    break
    apply_waiting(asking.service)
    asking.service.store.close()
    then = found(folder)
    failed.wrong += [*then.wrong, *then.lost(told), *(f"{fact} still waits" for fact in then.kept)]
    return failed


def _whole_call(asking: Asking, number: int) -> Iterable[Ask]:
    return (*asking.call_by_api(2 * number), *asking.call_by_telephone(2 * number + 1))


_PLACES = 5


def _fail_at(
    disk: _Disk, trouble: Trouble, point: int, asks: list[Ask], place: int, failed: Failed, told: set[Fact]
) -> bool:
    """The request at this place meets the trouble, before and after it there is none. False: it makes fewer calls."""
    for number, ask in enumerate(asks):
        with disk.spoilt(trouble if number == place else None, point):
            answered = ask()
        if number == place and disk.has_failed:
            failed.points[str(trouble)] = failed.points.get(str(trouble), 0) + 1
            failed.refused += not answered.saved
            if answered.fault:
                failed.wrong.append(f"{trouble}, call {point}: {answered.fact.effect} {answered.fault}")
            # What was told to be saved is not asked for again: that would hide its loss.
            answered = answered if answered.saved else ask()
        if answered.fault or not answered.saved:
            failed.wrong.append(f"{trouble}, call {point}: afterwards {answered}")
        told.add(answered.fact)
        if number == place and not disk.has_failed:
            return False
    return True


class _Disk:
    """`has_failed`: since it was spoilt last."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._left = 0
        self.has_failed = False

    @contextmanager
    def spoilt(self, trouble: Trouble | None, point: int) -> Iterator[None]:
        if trouble is not None:
            self.has_failed, self._left = False, point
        self._trouble = trouble
        yield
        self._trouble = None

    def answer(self, call: Call) -> Fault:
        trouble = self._trouble
        if trouble is None or call.does not in trouble.does:
            return Fault.NONE
        self._left -= 1
        if self._left == 0 or (self._left < 0 and trouble.lasts):
            self.has_failed = True
            return trouble.fault
        return Fault.NONE
