"""Export and erasure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapter.engine.model import Call, Hints, LineType, Memory, Realm, Sightings
from adapter.store import answers, calls, customers, memory, records
from adapter.store.database import Store
from adapter.store.records import CustomerRecord
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.store import people
from tests.store.people import ANI, PAIR, A, B


def test_an_unknown_customer_has_no_record_and_cannot_be_erased(tx: Transaction) -> None:
    assert records.export(tx, A, 100) is None
    assert not records.erase(tx, A, 100)


def test_the_record_has_everything(tx: Transaction) -> None:
    call = people.remember(tx)
    assert records.export(tx, A.upper(), 100) == CustomerRecord(
        customer_ref=A,
        created_at=100,
        last_contact=100,
        numbers=((ANI, LineType.MOBILE, 100),),
        external_ids=(PAIR,),
        intents=(people.REFUND, people.DONE),
        variables=(people.NAME, people.TIER),
        calls=(call,),
    )


def test_an_expired_variable_is_not_in_the_record(tx: Transaction) -> None:
    people.remember(tx)
    record = records.export(tx, A, people.NAME.expires_at)
    assert record is not None
    assert record.variables == (people.TIER,)


def test_a_number_without_a_line_type_is_in_the_record(tx: Transaction) -> None:
    customers.create(tx, A, 100)
    customers.link_ani(tx, ANI, A, 100)
    record = records.export(tx, A, 100)
    assert record is not None
    assert record.numbers == ((ANI, None, 100),)


def test_erasure_forgets_everything_and_keeps_the_bare_call(tx: Transaction) -> None:
    people.remember(tx)
    assert records.erase(tx, A, 500)
    assert records.export(tx, A, 500) is None
    assert not customers.exists(tx, A)
    facts = customers.facts(tx, Hints(ani=ANI, external_ids=(PAIR,), customer_ref=A))
    assert (facts.customers, facts.ani, facts.external) == ({}, (), {})
    assert set(facts.sightings.values()) == {Sightings()}
    assert memory.memory(tx, A, 100) == Memory()
    assert memory.all_intents(tx, A) == []
    assert answers.find(tx, "end", "PERSONAL-key", 100) is None
    assert calls.find(tx, "CA1") == Call("CA1", 100, customer_ref=A)


def test_erasing_twice_says_so(tx: Transaction) -> None:
    people.remember(tx)
    assert records.erase(tx, A, 500)
    assert not records.erase(tx, A, 600)


def test_others_keep_what_they_share_with_an_erased_customer(tx: Transaction) -> None:
    people.remember(tx)
    customers.create(tx, B, 100)
    customers.link_ani(tx, ANI, B, 100)
    calls.save(tx, replace(Call("CB", 100), customer_ref=B, ani=ANI))
    records.erase(tx, A, 500)
    assert [link.customer_ref for link in customers.facts(tx, Hints(ani=ANI)).ani] == [B]
    assert calls.find(tx, "CB") == Call("CB", 100, customer_ref=B, ani=ANI)


@pytest.mark.sqlite
@pytest.mark.parametrize("keyring", [Keyring()], ids=["plain"])
def test_erased_bytes_are_in_no_file(store: Store, realm: Realm, path: Path) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    store.truncate_log()
    assert all(word in path.read_bytes() for word in people.PERSONAL), "control: plain storage shows them"
    with store.begin(realm) as tx:
        records.erase(tx, A, 500)
    assert store.truncate_log()
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert [word for word in people.PERSONAL if word in everything] == []


@pytest.mark.sqlite
def test_with_a_key_no_personal_byte_is_ever_in_a_file(store: Store, realm: Realm, path: Path) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    store.truncate_log()
    with store.begin(realm) as tx:
        people.remember(tx, B, "CA2")
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert [word for word in people.PERSONAL if word in everything] == []
