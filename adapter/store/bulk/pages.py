"""All customers of a realm, page by page: each page is one state of the database, and all that is held in memory.

Leaves out: calls, which belong to a time, not to a customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from adapter.engine.model import LineType, Millis, Realm
from adapter.store import memory
from adapter.store.database import Store
from adapter.store.records import CustomerRecord
from adapter.store.refs import from_bytes
from adapter.store.statements import Prepared, bind, of_realm
from adapter.store.tables import LINE_TYPES, customers, external_ids, intents, numbers, variables
from adapter.store.transaction import Row, Transaction

_PAGE: Final = 500
_Of = dict[bytes, list[Any]]


def customer_pages(store: Store, realm: Realm, now: Millis, batch: int = _PAGE) -> Iterator[list[CustomerRecord]]:
    """In the order of their references; without their calls."""
    after = b""
    while True:
        with store.read(realm) as tx:
            rows = tx.rows(_customers(), {"after": after, "batch": batch})
            if not rows:
                return
            page = _page(tx, rows, after, now)
        yield page
        after = rows[-1][0]


def _page(tx: Transaction, rows: list[Row], after: bytes, now: Millis) -> list[CustomerRecord]:
    until = rows[-1][0]
    lines, ids, said, known = (
        _by_customer(tx, table, after, until) for table in (numbers, external_ids, intents, variables)
    )
    return [
        CustomerRecord(
            customer_ref=from_bytes(customer),
            created_at=created_at,
            last_contact=last_contact,
            numbers=tuple(
                _number(tx, customer, row) for row in sorted(lines[customer], key=lambda row: (-row[4], row[2]))
            ),
            external_ids=tuple(sorted((row[4], tx.open("external_ids", row[2], row[7])) for row in ids[customer])),
            intents=tuple(
                sorted(
                    (memory.intent_of(tx, customer, row[3:]) for row in said[customer]),
                    key=lambda each: (each.opened_at, each.position, each.intent),
                )
            ),
            variables=tuple(
                sorted(
                    (memory.variable_of(tx, customer, row[3:]) for row in known[customer] if row[8] > now),
                    key=lambda each: (each.created_at, each.position, each.name),
                )
            ),
            calls=(),
        )
        for customer, created_at, last_contact in rows
    ]


def _number(tx: Transaction, customer: bytes, row: Row) -> tuple[str, LineType | None, Millis]:
    line = None if row[5] is None else LineType(LINE_TYPES[row[5]])
    return tx.open("numbers", row[2] + customer, row[8]), line, row[4]


def _by_customer(tx: Transaction, table: sa.Table, after: bytes, until: bytes) -> _Of:
    found: _Of = defaultdict(list)
    place = list(table.c.keys()).index("customer")
    for row in tx.rows(_between(table), {"after": after, "until": until}):
        found[row[place]].append(row)
    return found


@cache
def _customers() -> Prepared:
    return Prepared(
        sa.select(customers.c.customer, customers.c.created_at, customers.c.last_contact)
        .where(of_realm(customers), customers.c.customer > bind("after"))
        .order_by(customers.c.customer)
        .limit(bind("batch"))
    )


@cache
def _between(table: sa.Table) -> Prepared:
    inside = sa.and_(table.c.customer > bind("after"), table.c.customer <= bind("until"))
    return Prepared(sa.select(table).where(of_realm(table), inside))
