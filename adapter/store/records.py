"""Everything stored of one customer: to hand it out, and to erase it (semantics §8).

Leaves out: who may ask for it (use cases).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from adapter.engine.model import Call, Hints, Intent, LineType, Millis, Realm, Undo, Variable

from . import calls, lockouts
from .customers import facts
from .database import Store
from .identities import EXTERNAL_OF_CUSTOMER
from .memory import all_intents, memory
from .refs import from_bytes, to_bytes
from .statements import PerTokens, Prepared, any_of, bind, numbered, of_realm
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
    return sa.and_(of_realm(table), table.c.customer == bind("customer"))


def _sightings_under(column: sa.ColumnElement[bytes], number: int) -> sa.Delete:
    return sa.delete(sightings).where(of_realm(sightings), any_of(column, number))


_CUSTOMER = Prepared(sa.select(customers.c.created_at, customers.c.last_contact).where(_of_customer(customers)))
_NUMBERS = Prepared(
    sa.select(numbers.c.token, numbers.c.sealed, numbers.c.line_type, numbers.c.last_seen)
    .where(_of_customer(numbers))
    .order_by(numbers.c.last_seen.desc(), numbers.c.token)
)
_FORGET_PAIR = PerTokens(lambda number: _sightings_under(sightings.c.pair, number))
_FORGET_NUMBER = PerTokens(lambda number: _sightings_under(sightings.c.ani, number))
_FORGET_UNLINKED = PerTokens(
    lambda number: _sightings_under(sightings.c.ani, number).where(
        ~sa.exists().where(of_realm(external_ids), external_ids.c.token == sightings.c.pair)
    )
)
_ERASED_TABLES = (numbers, external_ids, intents, variables, answers, customers)
_ERASE = tuple(Prepared(sa.delete(table).where(_of_customer(table))) for table in _ERASED_TABLES)
_TOMBSTONE = Prepared(sa.insert(tombstones))
_EVERY_CALL = 2**62
_CALLS_A_TRANSACTION = 200


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


def forget(store: Store, realm: Realm, ref: str, now: Millis) -> bool:
    """`erase`, a short transaction at a time: while one goes through all the calls of a switchboard, callers wait.

    The customer goes last: broken off, it is run again. False when unknown, or erased already.
    """
    with store.read(realm) as tx:
        traces = [call.call_id for call in _traces(tx, ref)]
    for at in range(0, len(traces), _CALLS_A_TRANSACTION):
        store.transact(realm, partial(_strip_named, traces[at : at + _CALLS_A_TRANSACTION]))
    return store.transact(realm, lambda tx: erase(tx, ref, now, calls_left=_CALLS_A_TRANSACTION))


def erase(tx: Transaction, ref: str, now: Millis, calls_left: int = _EVERY_CALL) -> bool:
    """Forget the customer; the calls stay as bare events. False when unknown, or erased already.

    The tombstone keeps the reference from being created again, by a replay or after a restore. `calls_left`: so many of
    the newest may still hold something.
    """
    customer = to_bytes(ref)
    if tx.row(_CUSTOMER, {"customer": customer}) is None:
        return False
    own, shared = _whose_numbers(tx, customer)
    for number in own:
        tokens = tx.tokens("ani", number)
        tx.write(_FORGET_NUMBER[len(tokens)], numbered(tokens))
        lockouts.forget(tx, lockouts.tokens_of_number(tx, number))
    lockouts.forget(tx, lockouts.tokens_of_customer(tx, from_bytes(customer)))
    for pair in (*_external_ids(tx, customer), ("customer_ref", ref)):
        tokens = tx.tokens("pair", *pair)
        tx.write(_FORGET_PAIR[len(tokens)], numbered(tokens))
        lockouts.forget(tx, lockouts.tokens_of_pair(tx, pair))
    _strip(tx, calls.of_customer(tx, ref, calls_left))
    _strip(tx, (call for call in calls.unclaimed(tx) if call.ani in own))
    for statement in _ERASE:
        tx.write(statement, {"customer": customer})
    for number in shared:
        # What nobody is known by was perhaps presented by whom is forgotten here.
        tokens = tx.tokens("ani", number)
        tx.write(_FORGET_UNLINKED[len(tokens)], numbered(tokens))
    tx.write(_TOMBSTONE, {"customer": customer, "erased_at": now})
    return True


def _whose_numbers(tx: Transaction, customer: bytes) -> tuple[set[str], set[str]]:
    """The customer's numbers: those that are nobody else's, and those that are. What was presented from the latter is
    somebody else's as well."""
    every = {number for number, _, _ in _numbers(tx, customer)}
    own = {number for number in every if len(facts(tx, Hints(ani=number)).ani) == 1}
    return own, every - own


def _traces(tx: Transaction, ref: str) -> Iterator[Call]:
    """Calls that hold something of the customer: their own, and those from their number that are nobody's so far."""
    yield from calls.of_customer(tx, ref, _EVERY_CALL)
    own, _ = _whose_numbers(tx, to_bytes(ref))
    page: Sequence[Call] = calls.unclaimed(tx) if own else ()
    while page:
        yield from (call for call in page if call.ani in own)
        page = calls.unclaimed(tx, page[-1].started_at, page[-1].call_id)


def _strip_named(call_ids: Iterable[str], tx: Transaction) -> None:
    found = (calls.find(tx, call_id) for call_id in call_ids)
    _strip(tx, (call for call in found if call is not None))


def _strip(tx: Transaction, found: Iterable[Call]) -> None:
    for call in found:
        if call != (bare := _stripped(call)):
            calls.save(tx, bare)


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
