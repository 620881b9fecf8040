"""Everything stored of one customer: to hand it out, and to erase it (semantics §8).

Leaves out: who may ask for it (use cases).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from adapter.engine.model import Call, Hints, Intent, LineType, Millis, Undo, Variable

from . import calls, lockouts
from .customers import facts
from .identities import EXTERNAL_OF_CUSTOMER
from .memory import all_intents, memory
from .refs import from_bytes, to_bytes
from .statements import PerTokens, Prepared, any_of, bind, numbered
from .tables import LINE_TYPES, answers, customers, external_ids, intents, numbers, sightings, tombstones, variables
from .transaction import Transaction


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """All of it, opened. `numbers`: (E.164, line type, last seen). `calls`: the newest first, at most 1000."""

    customer_ref: str
    created_at: Millis
    last_contact: Millis
    numbers: tuple[tuple[str, LineType | None, Millis], ...]
    external_ids: tuple[tuple[str, str], ...]
    intents: tuple[Intent, ...]
    variables: tuple[Variable, ...]
    calls: tuple[Call, ...]


def _of_customer(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.account == bind("account"), table.c.realm == bind("realm"), table.c.customer == bind("customer")
    )


def _sightings_under(column: sa.ColumnElement[bytes], number: int) -> sa.Delete:
    return sa.delete(sightings).where(
        sightings.c.account == bind("account"), sightings.c.realm == bind("realm"), any_of(column, number)
    )


_CUSTOMER = Prepared(sa.select(customers.c.created_at, customers.c.last_contact).where(_of_customer(customers)))
_NUMBERS = Prepared(
    sa.select(numbers.c.token, numbers.c.sealed, numbers.c.line_type, numbers.c.last_seen)
    .where(_of_customer(numbers))
    .order_by(numbers.c.last_seen.desc(), numbers.c.token)
)
_FORGET_PAIR = PerTokens(lambda number: _sightings_under(sightings.c.pair, number))
_FORGET_NUMBER = PerTokens(lambda number: _sightings_under(sightings.c.ani, number))
_ERASED_TABLES = (numbers, external_ids, intents, variables, answers, customers)
_ERASE = tuple(Prepared(sa.delete(table).where(_of_customer(table))) for table in _ERASED_TABLES)
_TOMBSTONE = Prepared(sa.insert(tombstones))
_EVERY_CALL = 2**62


def export(tx: Transaction, ref: str, now: Millis) -> CustomerRecord | None:
    """Everything stored of the customer; None when unknown or erased."""
    customer = to_bytes(ref)
    found = tx.row(_CUSTOMER, {"customer": customer})
    if found is None:
        return None
    return CustomerRecord(
        customer_ref=from_bytes(customer),
        created_at=found[0],
        last_contact=found[1],
        numbers=tuple(_numbers(tx, customer)),
        external_ids=tuple(sorted(_external_ids(tx, customer))),
        intents=tuple(all_intents(tx, ref)),
        variables=memory(tx, ref, now).variables,
        calls=tuple(calls.of_customer(tx, ref)),
    )


def erase(tx: Transaction, ref: str, now: Millis) -> bool:
    """Forget the customer; the calls stay as bare events. False when unknown, or erased already.

    The tombstone keeps the reference from being created again, by a replay or after a restore.
    """
    customer = to_bytes(ref)
    if tx.row(_CUSTOMER, {"customer": customer}) is None:
        return False
    for number, _, _ in _numbers(tx, customer):
        # What was presented from a number that is also somebody else's is theirs as well, and stays.
        if len(facts(tx, Hints(ani=number)).ani) == 1:
            tokens = tx.tokens("ani", number)
            tx.write(_FORGET_NUMBER[len(tokens)], numbered(tokens))
            lockouts.forget(tx, lockouts.tokens_of_number(tx, number))
    lockouts.forget(tx, lockouts.tokens_of_customer(tx, from_bytes(customer)))
    for pair in (*_external_ids(tx, customer), ("customer_ref", ref)):
        tokens = tx.tokens("pair", *pair)
        tx.write(_FORGET_PAIR[len(tokens)], numbered(tokens))
        lockouts.forget(tx, lockouts.tokens_of_pair(tx, pair))
    for call in calls.of_customer(tx, ref, _EVERY_CALL):
        calls.save(tx, _stripped(call))
    for statement in _ERASE:
        tx.write(statement, {"customer": customer})
    tx.write(_TOMBSTONE, {"customer": customer, "erased_at": now})
    return True


def _stripped(call: Call) -> Call:
    return replace(call, ani=None, dnis=None, evidence=(), would_raise=(), undo=Undo(), talk=None)


def _numbers(tx: Transaction, customer: bytes) -> list[tuple[str, LineType | None, Millis]]:
    return [
        (tx.open("numbers", token + customer, sealed), None if line is None else LineType(LINE_TYPES[line]), seen)
        for token, sealed, line, seen in tx.rows(_NUMBERS, {"customer": customer})
    ]


def _external_ids(tx: Transaction, customer: bytes) -> list[tuple[str, str]]:
    return [
        (key, tx.open("external_ids", token, sealed))
        for token, sealed, key in tx.rows(EXTERNAL_OF_CUSTOMER, {"customer": customer})
    ]
