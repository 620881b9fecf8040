"""Customers, and everything known about what a caller presents."""

from __future__ import annotations

import sqlite3
from uuid import UUID

import psycopg
import pytest

from adapter.engine.model import AniLink, CustomerFacts, ExternalLink, Facts, Hints, LineType, Realm, Sightings
from adapter.errors import AdapterError
from adapter.store import customers, records
from adapter.store.database import Store
from adapter.store.transaction import Transaction

ANI, PAIR = "+14155550123", ("customer_id", "12345")


def ref(number: int) -> str:
    return str(UUID(int=number))


def test_nothing_is_known_of_a_new_caller(tx: Transaction) -> None:
    found = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,), customer_ref=ref(9)))
    assert found == Facts(sightings={PAIR: Sightings(), ("customer_ref", ref(9)): Sightings()})


def test_a_caller_without_hints_is_nobody(tx: Transaction) -> None:
    assert customers.facts(tx, Hints()) == Facts()


def test_a_linked_caller_is_found_by_every_hint(tx: Transaction) -> None:
    customers.create(tx, ref(1), 100)
    customers.link_ani(tx, ANI, ref(1), 110, LineType.MOBILE)
    customers.link_external(tx, PAIR, ref(1), 120)
    known = CustomerFacts(ref(1), 100, frozenset({"customer_id"}))
    assert customers.facts(tx, Hints(ani=ANI)) == Facts({ref(1): known}, (AniLink(ref(1), 110, LineType.MOBILE, 110),))
    by_id = customers.facts(tx, Hints(external_ids=(PAIR,)))
    assert (by_id.customers, by_id.external) == ({ref(1): known}, {PAIR: ExternalLink(ref(1), 120)})
    assert customers.facts(tx, Hints(customer_ref=ref(1))).customers == {ref(1): known}
    assert customers.facts(tx, Hints(), also=(ref(1), ref(2))).customers == {ref(1): known}


def test_a_shared_number_gives_its_customers_the_last_seen_first(tx: Transaction) -> None:
    for number in (1, 2, 3):
        customers.create(tx, ref(number), 100)
        customers.link_ani(tx, ANI, ref(number), 200 + number % 3)
    assert [link.customer_ref for link in customers.facts(tx, Hints(ani=ANI)).ani] == [ref(2), ref(1), ref(3)]


def test_of_a_number_with_very_many_customers_only_the_latest_are_considered(tx: Transaction) -> None:
    for number in range(customers.LINKS_CONSIDERED + 5):
        customers.create(tx, ref(number), number)
        customers.link_ani(tx, ANI, ref(number), number)
    found = customers.facts(tx, Hints(ani=ANI)).ani
    assert len(found) == customers.LINKS_CONSIDERED
    assert found[0].last_seen == customers.LINKS_CONSIDERED + 4


def test_a_link_to_a_customer_who_is_gone_is_not_in_the_facts(tx: Transaction) -> None:
    customers.link_ani(tx, ANI, ref(1), 100)
    customers.link_external(tx, PAIR, ref(1), 100)
    found = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,)))
    assert (found.customers, found.ani, found.external) == ({}, (), {})


@pytest.mark.parametrize(("others", "counted"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10), (30, 10)])
def test_other_numbers_of_a_pair_are_counted_up_to_ten(tx: Transaction, others: int, counted: int) -> None:
    for number in range(others):
        customers.sight(tx, f"+1415555{number:04d}", [PAIR], "other", 100)
    customers.sight(tx, ANI, [PAIR], "mine", 100)
    assert customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,))).sightings[PAIR] == Sightings(counted, "mine")


def test_without_a_number_all_sightings_are_others(tx: Transaction) -> None:
    customers.sight(tx, ANI, [PAIR, ("customer_ref", ref(1))], "first", 100)
    found = customers.facts(tx, Hints(external_ids=(PAIR,), customer_ref=ref(1))).sightings
    assert found == {PAIR: Sightings(1), ("customer_ref", ref(1)): Sightings(1)}


def test_one_realm_sees_nothing_of_another(store: Store, realm: Realm) -> None:
    hints = Hints(ani=ANI, external_ids=(PAIR,), customer_ref=ref(1))
    with store.begin(realm) as tx:
        customers.create(tx, ref(1), 100)
        customers.link_ani(tx, ANI, ref(1), 100)
        customers.link_external(tx, PAIR, ref(1), 100)
        customers.sight(tx, ANI, [PAIR], "call", 100)
    for other in (Realm(realm.account, realm.number + 1), Realm(realm.account + 1, realm.number)):
        with store.begin(other) as tx:
            assert customers.facts(tx, hints).customers == {}
            assert customers.facts(tx, hints).sightings[PAIR] == Sightings()
            assert not customers.exists(tx, ref(1))
            customers.create(tx, ref(1), 200)


def test_a_living_customer_exists(tx: Transaction) -> None:
    assert not customers.exists(tx, ref(1))
    customers.create(tx, ref(1), 100)
    assert customers.exists(tx, ref(1))


def test_two_customers_cannot_have_one_ref(tx: Transaction) -> None:
    customers.create(tx, ref(1), 100)
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)), tx.savepoint():
        customers.create(tx, ref(1), 100)


def test_an_erased_customer_cannot_be_created_again(tx: Transaction) -> None:
    customers.create(tx, ref(1), 100)
    records.erase(tx, ref(1), 200)
    with pytest.raises(AdapterError, match="erased"):
        customers.create(tx, ref(1), 300)


def last_contact(tx: Transaction) -> int:
    return customers.facts(tx, Hints(customer_ref=ref(1))).customers[ref(1)].last_contact


def test_contact_is_remembered_and_can_be_taken_back_once(tx: Transaction) -> None:
    customers.create(tx, ref(1), 100)
    customers.touch(tx, ref(1), 200)
    assert last_contact(tx) == 200
    customers.restore_contact(tx, ref(1), 100, only_if=200)
    assert last_contact(tx) == 100


def test_a_later_contact_is_not_taken_back(tx: Transaction) -> None:
    customers.create(tx, ref(1), 100)
    customers.touch(tx, ref(1), 300)
    customers.restore_contact(tx, ref(1), 100, only_if=200)
    assert last_contact(tx) == 300
