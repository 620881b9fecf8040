"""Time for the rate windows of many machines: the database's clock, without its steps (semantics §3).

All nodes read one clock, so a window is exact whoever counted what is in it. But it is a wall clock, and somebody may
set it. Each process therefore compares it with the ticks since its own machine's boot, and who sees the two fall apart
corrects the offset in `clocks` that all of them add. Leaves out: hits being in order (`meters.hit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.engine.model import Millis
from adapter.store import meters
from adapter.store.statements import Bound, Prepared, bind, upsert
from adapter.store.tables import clocks
from adapter.store.transaction import Transaction

from .batches import Known

# The row of `clocks` that is no boot of a machine.
_NAME = "database"
# Two clocks that are both in order may drift apart by 0.05 % each while one of them is slewed.
_DRIFT = 0.001
# Less is no step: ntpd and chrony slew what is smaller.
_LEAST_STEP_MS = 50

_wall = sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()) * 1000, sa.BigInteger())
_READ = Prepared(sa.select(_wall, clocks.c.offset_ms).where(clocks.c.boot_id == bind("boot_id")))
_LOCK = Prepared(sa.select(clocks.c.offset_ms).where(clocks.c.boot_id == bind("boot_id")).with_for_update())
_SET = upsert(clocks)


# Rows, and between which ticks they were read: no further apart than so many ms, if that can be.
Dated = Callable[[Prepared, Mapping[str, Bound], int], Known]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read, and between which ticks of this machine."""

    offset: int
    steady: Millis
    not_before: int
    not_after: int


class SteadyTime:
    """One process's view; any number of threads. Call its methods while holding an account's turn."""

    def __init__(self) -> None:
        self._last: _Reading | None = None
        # Offsets between which time goes on: before and after the last correction of ours, which may be rolled back.
        self._ours: tuple[int, ...] = ()

    def begin(self, tx: Transaction) -> None:
        """Make the row, and never be behind the newest hit: a window full of hits to come would stay full."""
        found = tx.row(_READ, {"boot_id": _NAME})
        if found is None:
            tx.execute(_SET, {"boot_id": _NAME, "offset_ms": 0})
            found = tx.row(_READ, {"boot_id": _NAME})
        assert found is not None
        wall, offset = found
        behind = max(meters.newest_hits(tx), default=0) - (wall + offset)
        if behind > 0:
            tx.execute(_SET, {"boot_id": _NAME, "offset_ms": offset + behind})

    def foresee(self, tx: Transaction) -> None:
        """Ask what `read` is going to ask."""
        tx.row(_READ, {"boot_id": _NAME})

    def read(self, tx: Transaction, dated: Dated) -> Millis:
        """Steady time now, or when this transaction first asked: while it has the turn that is as good.

        `dated`: the transaction's.
        """
        # What was read while a turn was waited for says too little of when: a step would hide in the wait.
        known = dated(_READ, {"boot_id": _NAME}, _LEAST_STEP_MS)
        ((wall, offset),), not_before, not_after = known.rows, known.not_before, known.not_after
        last, steady = self._last, wall + offset
        if last is not None:
            earliest = last.steady + not_before - last.not_after
            latest = last.steady + not_after - last.not_before
            slack = _LEAST_STEP_MS + int(_DRIFT * (not_after - last.not_before))
            # Ahead is wrong whoever set the offset. Behind may be a node that came up and knew no more than the newest
            # hit: to jump forward again would empty the windows of what was admitted since.
            if steady > latest + slack or (steady < earliest - slack and offset in (last.offset, *self._ours)):
                # The earliest it can be: a window must not roll on too soon.
                return self._correct(tx, wall, offset, earliest)
        self._last = _Reading(offset, steady, not_before, not_after)
        return int(steady)

    def _correct(self, tx: Transaction, wall: Millis, offset: int, steady: Millis) -> Millis:
        """The database's clock was set. Only what is committed is true, so this reading is not remembered."""
        found = tx.row(_LOCK, {"boot_id": _NAME})
        if found is not None and found[0] != offset:
            return int(wall + found[0])  # another node was first
        self._ours = offset, steady - wall
        tx.execute(_SET, {"boot_id": _NAME, "offset_ms": steady - wall})
        return int(steady)
