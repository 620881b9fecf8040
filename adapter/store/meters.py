"""Meters: the rate window of an organization, and what its billing account has used of a month.

Hits are numbered without gaps in order of time, so the number inside a window is the difference of two numbers: two
seeks at any fill, where counting rows costs hundreds of microseconds at a big tier (semantics §3). Leaves out: limits
and answers (`adapter.engine`), deleting old hits (`sweep`).
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.limits import Window
from adapter.engine.model import Millis

from .statements import Prepared, bind, upsert
from .tables import organizations, rate_hits
from .tables import usage as usage_table
from .transaction import Transaction


def _hits(table: sa.FromClause = rate_hits) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.account == bind("account"), table.c.organization == bind("organization"))


_ORGANIZATIONS = Prepared(sa.select(organizations.c.account, organizations.c.number))
_NEWEST = Prepared(
    sa.select(rate_hits.c.at, rate_hits.c.seq)
    .where(_hits())
    .order_by(rate_hits.c.at.desc(), rate_hits.c.seq.desc())
    .limit(1)
)
_IN_WINDOW = Prepared(
    sa.select(rate_hits.c.at, rate_hits.c.seq)
    .where(_hits(), rate_hits.c.at > bind("since"))
    .order_by(rate_hits.c.at, rate_hits.c.seq)
    .limit(1)
    .offset(bind("skip"))
)
_HIT = Prepared(sa.insert(rate_hits))
_USED = Prepared(
    sa.select(usage_table.c.used).where(
        usage_table.c.account == bind("account"), usage_table.c.period == bind("period")
    )
)
_PERIODS = Prepared(
    sa.select(usage_table.c.period, usage_table.c.used)
    .where(usage_table.c.account == bind("account"))
    .order_by(usage_table.c.period.desc())
)
_CHARGE = upsert(usage_table, add=("used",))


def window(tx: Transaction, organization_number: int, since: Millis, hard_limit: int) -> Window:
    """The hits after `since` (steady time, ms)."""
    newest = tx.row(_NEWEST, {"organization": organization_number})
    if newest is None or newest[0] <= since:
        return Window(0)
    oldest = _in_window(tx, organization_number, since, 0)
    usage = newest[1] - oldest[1] + 1
    if usage < hard_limit:
        return Window(usage, oldest[0], None)
    # More than the limit inside: the limit was lowered, and that many must leave first.
    blocking = oldest if usage == hard_limit else _in_window(tx, organization_number, since, usage - hard_limit)
    return Window(usage, oldest[0], blocking[0])


def newest_hit(tx: Transaction, organization_number: int) -> Millis | None:
    """When this organization was last admitted (steady time, ms)."""
    newest = tx.row(_NEWEST, {"organization": organization_number})
    return None if newest is None else int(newest[0])


def newest_hits(tx: Transaction) -> list[Millis]:
    """When each organization of any account was last admitted, if it ever was (steady time, ms)."""
    # One account a statement: a distributed database keeps each account's hits in a place of its own.
    found = (
        tx.row(_NEWEST, {"account": account, "organization": number}) for account, number in tx.rows(_ORGANIZATIONS, {})
    )
    return [int(row[0]) for row in found if row is not None]


def hit(tx: Transaction, organization_number: int, at: Millis) -> None:
    """Count one admitted request. A time before the newest hit's counts as the newest's: the order must hold."""
    newest = tx.row(_NEWEST, {"organization": organization_number}) or (at, 0)
    tx.write(_HIT, {"organization": organization_number, "at": max(at, newest[0]), "seq": newest[1] + 1})


def used(tx: Transaction, period: Millis) -> int:
    """What the realm's billing account has been charged in the period that began then."""
    found = tx.row(_USED, {"period": period})
    return 0 if found is None else int(found[0])


def periods(tx: Transaction) -> list[tuple[Millis, int]]:
    """Every period in which the realm's billing account was charged: its first instant and how much, newest first."""
    return [(int(began), int(amount)) for began, amount in tx.rows(_PERIODS, {})]


def charge(tx: Transaction, period: Millis, amount: int = 1) -> None:
    """Charge it; commits or vanishes with the effect it is for (semantics §4)."""
    tx.write(_CHARGE, {"period": period, "used": amount})


def _in_window(tx: Transaction, organization_number: int, since: Millis, skip: int) -> tuple[int, int]:
    found = tx.row(_IN_WINDOW, {"organization": organization_number, "since": since, "skip": skip})
    assert found is not None, "the newest hit is inside the window, so there is an oldest"
    return found[0], found[1]
