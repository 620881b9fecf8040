"""Calls as remembered, one row each. What is personal or explains (numbers, evidence, undo) is one sealed value.

Leaves out: how a call moves (`adapter.engine`), removing old ones (`sweep`).
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.model import Call, Millis

from . import callbody
from .refs import from_bytes, to_bytes
from .statements import Prepared, bind, of_realm, upsert
from .tables import calls
from .transaction import Row, Transaction

_COLUMNS = [column for column in calls.c if column.name not in ("account", "realm")]
_FIND = Prepared(sa.select(*_COLUMNS).where(of_realm(calls), calls.c.call_id == bind("call_id")))
_OF_CUSTOMER = Prepared(
    sa.select(*_COLUMNS)
    .where(of_realm(calls), calls.c.customer == bind("customer"))
    .order_by(calls.c.started_at.desc(), calls.c.call_id)
    .limit(bind("number"))
)
_UNCLAIMED = Prepared(
    sa.select(*_COLUMNS)
    .where(
        of_realm(calls),
        calls.c.customer.is_(None),
        sa.tuple_(calls.c.started_at, calls.c.call_id) < sa.tuple_(bind("since"), bind("before")),
    )
    .order_by(calls.c.started_at.desc(), calls.c.call_id.desc())
    .limit(bind("number"))
)
_BEGUN_AFTER = Prepared(
    sa.select(*_COLUMNS)
    .where(of_realm(calls), sa.tuple_(calls.c.started_at, calls.c.call_id) > sa.tuple_(bind("since"), bind("after")))
    .order_by(calls.c.started_at, calls.c.call_id)
    .limit(bind("number"))
)
_BEGUN_BEFORE = Prepared(
    sa.select(*_COLUMNS)
    .where(of_realm(calls), calls.c.started_at < bind("until"))
    .order_by(calls.c.started_at.desc(), calls.c.call_id.desc())
    .limit(bind("number"))
)
_SAVE = upsert(calls)


def find(tx: Transaction, call_id: str) -> Call | None:
    """The call with this id in this realm."""
    row = tx.row(_FIND, {"call_id": call_id})
    return None if row is None else _call(tx, row)


def save(tx: Transaction, call: Call) -> None:
    """Insert it, or replace the whole row."""
    values = {
        "call_id": call.call_id,
        "customer": None if call.customer_ref is None else to_bytes(call.customer_ref),
        "started_at": call.started_at,
        "greeted_at": call.greeted_at,
        "hung_up_at": call.hung_up_at,
        "ended_at": call.ended_at,
        "origin": call.origin.value,
        "verdict": None if call.verdict is None else call.verdict.value,
    }
    tx.write(_SAVE, {**values, "sealed": tx.seal("calls", row_key(call.call_id), callbody.encode(call))})


def of_customer(tx: Transaction, ref: str, limit: int = 1000) -> list[Call]:
    """The customer's calls, the newest first."""
    return [_call(tx, row) for row in tx.rows(_OF_CUSTOMER, {"customer": to_bytes(ref), "number": limit})]


def unclaimed(tx: Transaction, since: Millis = 2**62, before: str = "", limit: int = 500) -> list[Call]:
    """Calls of which only the hang-up is known, from in front of this place back: the next page, the newest first."""
    return [_call(tx, row) for row in tx.rows(_UNCLAIMED, {"since": since, "before": before, "number": limit})]


def begun_after(tx: Transaction, since: Millis, after: str = "", limit: int = 500) -> list[Call]:
    """Calls in order of their start and then their id, from behind this place on: the next page of all there are."""
    return [_call(tx, row) for row in tx.rows(_BEGUN_AFTER, {"since": since, "after": after, "number": limit})]


def begun_before(tx: Transaction, until: Millis, limit: int) -> list[Call]:
    """The last calls that began before then, the newest first."""
    return [_call(tx, row) for row in tx.rows(_BEGUN_BEFORE, {"until": until, "number": limit})]


def row_key(call_id: str) -> bytes:
    """What a call's sealed value is bound to."""
    return call_id.encode("utf-8", "surrogatepass")


def _call(tx: Transaction, row: Row) -> Call:
    call_id, customer, started_at, greeted_at, hung_up_at, ended_at, origin, verdict, sealed = row
    body = tx.open("calls", row_key(call_id), sealed)
    columns = callbody.Columns(
        call_id,
        started_at,
        None if customer is None else from_bytes(customer),
        greeted_at,
        hung_up_at,
        ended_at,
        origin,
        verdict,
    )
    return callbody.decode(columns, body)
