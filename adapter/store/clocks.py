"""The offset that makes ticks since boot a steady clock which all processes of one boot share (semantics §3).

Leaves out: reading clocks (`adapter.clock`).
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.model import Millis

from . import meters
from .statements import Prepared, bind
from .tables import clocks
from .transaction import Transaction

_ANY = Prepared(sa.select(clocks.c.boot_id).limit(1))
_OFFSET = Prepared(sa.select(clocks.c.offset_ms).where(clocks.c.boot_id == bind("boot_id")))
_INSERT = Prepared(sa.insert(clocks))
_TOUCH = Prepared(
    sa.update(clocks)
    .where(clocks.c.boot_id == sa.select(sa.func.min(clocks.c.boot_id)).scalar_subquery())
    .values(offset_ms=clocks.c.offset_ms + bind("by"))
)


def any_row(tx: Transaction) -> None:
    """Reads a real table; the shortest proof that the database is there and ours."""
    tx.row(_ANY, {})


def touch(tx: Transaction) -> None:
    """Writes to a real table and changes nothing; the shortest proof that something can be saved.

    There and back: what a row holds already SQLite does not write, and so does not find that the disk is full.
    """
    for by in (1, -1):
        tx.execute(_TOUCH, {"by": by})


def offset(tx: Transaction, boot_id: str, ticks: int, wall: Millis) -> int:
    """This boot's offset in milliseconds; the first to ask decides it.

    Never behind the newest rate hit: with a clock that came up in the past every window would look full for ever.
    """
    found = tx.row(_OFFSET, {"boot_id": boot_id})
    if found is not None:
        return int(found[0])
    decided: int = max([wall, *meters.newest_hits(tx)]) - ticks
    tx.execute(_INSERT, {"boot_id": boot_id, "offset_ms": decided})
    return decided
