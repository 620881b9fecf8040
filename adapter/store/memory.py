"""What is remembered of a customer between calls: intents and variables. Values and resolutions are sealed.

Leaves out: how an end changes them (`adapter.engine`), removing what has expired (`sweep`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from adapter.engine.model import Intent, IntentStatus, Memory, Millis, Variable
from adapter.engine.variables import is_living

from .refs import to_bytes
from .statements import Prepared, bind, of_realm, upsert
from .tables import INTENT_STATUSES, customers
from .tables import intents as intents_table
from .tables import variables as variables_table
from .transaction import Row, Transaction


def _of_customer(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(of_realm(table), table.c.customer == bind("customer"))


_INTENT_COLUMNS = [column for column in intents_table.c if column.name not in ("account", "realm", "customer")]
_VARIABLE_COLUMNS = [column for column in variables_table.c if column.name not in ("account", "realm", "customer")]
_EXPIRES_AT = [column.name for column in _VARIABLE_COLUMNS].index("expires_at")
# The name last: two calls may open an intent in the same millisecond, and a database without a rule gives any order.
_OLDEST_FIRST = (intents_table.c.opened_at, intents_table.c.position, intents_table.c.intent)
_ALL_INTENTS = Prepared(sa.select(*_INTENT_COLUMNS).where(_of_customer(intents_table)).order_by(*_OLDEST_FIRST))
_OPEN_INTENTS = Prepared(
    sa.select(*_INTENT_COLUMNS)
    .where(_of_customer(intents_table), intents_table.c.status == INTENT_STATUSES.index("open"))
    .order_by(*_OLDEST_FIRST)
)
_INTENT = Prepared(
    sa.select(*_INTENT_COLUMNS).where(_of_customer(intents_table), intents_table.c.intent == bind("name"))
)
_SAVE_INTENT = upsert(intents_table)
_FORGET_INTENT = Prepared(
    sa.delete(intents_table).where(_of_customer(intents_table), intents_table.c.intent == bind("name"))
)
_VARIABLES = Prepared(
    sa.select(*_VARIABLE_COLUMNS)
    .where(_of_customer(variables_table))
    .order_by(variables_table.c.created_at, variables_table.c.position, variables_table.c.name)
)
_VARIABLE = Prepared(
    sa.select(*_VARIABLE_COLUMNS).where(_of_customer(variables_table), variables_table.c.name == bind("of_name"))
)
_SAVE_VARIABLE = upsert(variables_table)
_FORGET_VARIABLE = Prepared(
    sa.delete(variables_table).where(_of_customer(variables_table), variables_table.c.name == bind("of_name"))
)
NOTE_NEXT_EXPIRY = Prepared(
    sa.update(customers)
    .where(_of_customer(customers))
    .values(
        next_expiry=sa.select(sa.func.min(variables_table.c.expires_at))
        .where(_of_customer(variables_table))
        .scalar_subquery()
    )
)


def memory(tx: Transaction, ref: str, now: Millis) -> Memory:
    """Open intents, oldest first, and living variables in order of creation (semantics §7)."""
    customer = to_bytes(ref)
    return Memory(
        tuple(intent_of(tx, customer, row) for row in tx.rows(_OPEN_INTENTS, {"customer": customer})),
        tuple(
            variable_of(tx, customer, row) for row in tx.rows(_VARIABLES, {"customer": customer}) if _lives(row, now)
        ),
    )


def all_intents(tx: Transaction, ref: str) -> list[Intent]:
    """Resolved ones too, oldest first."""
    customer = to_bytes(ref)
    return [intent_of(tx, customer, row) for row in tx.rows(_ALL_INTENTS, {"customer": customer})]


def intents(tx: Transaction, ref: str, names: Sequence[str]) -> dict[str, Intent]:
    """Those of the named intents that are known, resolved ones too."""
    customer = to_bytes(ref)
    rows = (tx.row(_INTENT, {"customer": customer, "name": name}) for name in names)
    return {row[0]: intent_of(tx, customer, row) for row in rows if row is not None}


def save_intents(tx: Transaction, ref: str, changed: Sequence[Intent]) -> None:
    """Insert or replace these."""
    customer = to_bytes(ref)
    tx.write_many(_SAVE_INTENT, (intent_row(tx, customer, intent) for intent in changed))


def forget_intents(tx: Transaction, ref: str, names: Sequence[str]) -> None:
    """Delete these: nobody ever called about them after all."""
    customer = to_bytes(ref)
    tx.write_many(_FORGET_INTENT, ({"customer": customer, "name": name} for name in names))


def variables(tx: Transaction, ref: str, names: Sequence[str], now: Millis) -> dict[str, Variable]:
    """Those of the named variables that live."""
    customer = to_bytes(ref)
    rows = (tx.row(_VARIABLE, {"customer": customer, "of_name": name}) for name in names)
    return {row[0]: variable_of(tx, customer, row) for row in rows if row is not None and _lives(row, now)}


def save_variables(tx: Transaction, ref: str, keep: Sequence[Variable], forget: Sequence[str]) -> None:
    """Insert or replace `keep`, delete `forget`."""
    customer = to_bytes(ref)
    tx.write_many(_SAVE_VARIABLE, (variable_row(tx, customer, variable) for variable in keep))
    tx.write_many(_FORGET_VARIABLE, ({"customer": customer, "of_name": name} for name in forget))
    if keep or forget:
        tx.write(NOTE_NEXT_EXPIRY, {"customer": customer})


def intent_row(tx: Transaction, customer: bytes, intent: Intent) -> dict[str, int | str | bytes | None]:
    """Its columns, in the table's order, without the realm's."""
    resolution = None
    if intent.resolution is not None:
        resolution = tx.seal("intents", customer + _name(intent.intent), json.dumps(intent.resolution))
    return {
        "customer": customer,
        "intent": intent.intent,
        "status": INTENT_STATUSES.index(intent.status),
        "attempts": intent.attempt_count,
        "opened_at": intent.opened_at,
        "position": intent.position,
        "updated_at": intent.updated_at,
        "last_call_id": intent.last_call_id,
        "resolution": resolution,
    }


def intent_of(tx: Transaction, customer: bytes, row: Row) -> Intent:
    """`row`: its columns without the realm's and the customer."""
    name, status, attempts, opened_at, position, updated_at, last_call_id, sealed = row
    resolution = None if sealed is None else json.loads(tx.open("intents", customer + _name(name), sealed))
    status = IntentStatus(INTENT_STATUSES[status])
    return Intent(name, status, attempts, opened_at, position, updated_at, last_call_id, resolution)


def variable_row(tx: Transaction, customer: bytes, variable: Variable) -> dict[str, int | str | bytes | None]:
    """Its columns, in the table's order, without the realm's."""
    return {
        "customer": customer,
        "name": variable.name,
        "source": variable.source,
        "ttl_seconds": variable.ttl_seconds,
        "created_at": variable.created_at,
        "position": variable.position,
        "expires_at": variable.expires_at,
        "sealed": tx.seal("variables", customer + _name(variable.name), variable.value),
    }


def variable_of(tx: Transaction, customer: bytes, row: Row) -> Variable:
    """`row`: its columns without the realm's and the customer."""
    name, source, ttl_seconds, created_at, position, expires_at, sealed = row
    value = tx.open("variables", customer + _name(name), sealed)
    return Variable(name, value, source, ttl_seconds, created_at, position, expires_at)


def _lives(row: Row, now: Millis) -> bool:
    """Judged here and not in SQL: what is asked is then known before the time is."""
    return is_living(row[_EXPIRES_AT], now)


def _name(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
