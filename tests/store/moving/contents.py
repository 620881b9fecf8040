"""What is in the databases that tests copy, and what all rows of one are."""

from __future__ import annotations

from uuid import UUID

from adapter.engine.lockout import WrongAnswers
from adapter.engine.model import Call, LineType, Mode, Realm
from adapter.store import calls, customers, keys, lockouts, memory, meters, organizations, records
from adapter.store.database import Store
from adapter.store.moving import rows
from adapter.store.moving.rows import TABLES
from adapter.store.transaction import NO_REALM, Row, Transaction
from tests.store import people

PEPPER = b"p" * 32
Everything = dict[str, list[Row]]


def fill(store: Store) -> None:
    """Something in every table."""
    for registered in organizations.register(store, [("org", "ba_1"), ("other", "ba_2")]).values():
        for mode in Mode:
            store.transact(registered.realm(mode), _remember)
    keys.issue(store, PEPPER, "org", Mode.PROD, "desk — “é”", 100)
    store.steady_offset("boot", 1, 10**12)


def realms(store: Store) -> list[Realm]:
    """Where there is data."""
    return organizations.realms(store)


def everything(store: Store) -> Everything:
    """All rows of all tables that are copied, sorted."""
    with store.read(NO_REALM) as tx:
        found = {table.name: [row for page in rows.pages(tx, table, 1_000) for row in page] for table in TABLES}
    return {name: sorted(each, key=repr) for name, each in found.items()}


def use(store: Store, place: int) -> None:
    """What a service writes in a moment: something new, something changed, something gone, a key that moves."""
    for realm in realms(store)[: 1 + place % 4]:

        def work(tx: Transaction) -> None:
            ref = str(UUID(int=1_000 + place))
            number = f"+1{200 + place % 700}555{100 + place % 100:04d}"
            customers.create(tx, ref, place)
            customers.link_ani(tx, number, ref, place, LineType.VOIP)
            customers.touch(tx, people.A, 10_000 + place)
            calls.save(tx, Call(f"CA-{place}", place, customer_ref=ref, ani=number))
            calls.save(tx, Call("CA1", 100 + place, customer_ref=people.A))
            meters.hit(tx, 0, 10**6 + place)
            meters.charge(tx, 0)
            if place % 3 == 0:
                customers.unlink_ani(tx, number, ref)
                memory.save_variables(tx, people.A, [people.TIER], ["name"])
            if place % 5 == 0:
                records.erase(tx, ref, place)

        store.transact(realm, work)


def _remember(tx: Transaction) -> None:
    people.remember(tx)
    for number in range(3):
        ref = str(UUID(int=10 + number))
        customers.create(tx, ref, number)
        customers.link_ani(tx, f"+1212555010{number}", ref, number)
        calls.save(tx, Call(f"CA-of-{number}-é", number, customer_ref=ref if number else None))
    lockouts.save(tx, lockouts.tokens_of_number(tx, people.ANI), WrongAnswers(2, 900))
    meters.charge(tx, 0)
    records.erase(tx, str(UUID(int=11)), 500)
