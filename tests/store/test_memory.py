"""Intents and variables between calls."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from adapter.engine.model import Intent, IntentStatus, Variable
from adapter.store import customers, memory
from adapter.store.statements import Prepared
from adapter.store.tables import customers as customers_table
from adapter.store.transaction import Transaction

A, B = str(UUID(int=1)), str(UUID(int=2))
REFUND = Intent("refund", IntentStatus.OPEN, 1, 100, 0, 100, "call_1", {"note": "é", "n": [1, None]})
UPGRADE = Intent("upgrade", IntentStatus.OPEN, 1, 100, 1, 100, "call_1")
NAME = Variable("name", "John \N{BOUQUET}", "crm", 60, 100, 0, 60_100)
TIER = Variable("tier", "", None, 90, 100, 1, 90_100)


@pytest.fixture
def tx(tx: Transaction) -> Transaction:
    customers.create(tx, A, 100)
    customers.create(tx, B, 100)
    return tx


def next_expiry(tx: Transaction) -> int | None:
    statement = Prepared(sa.select(customers_table.c.next_expiry).order_by(customers_table.c.customer))
    found = tx.row(statement, {})
    assert found is not None
    return found[0]  # type: ignore[no-any-return]


def test_a_new_customer_has_no_memory(tx: Transaction) -> None:
    assert memory.memory(tx, A, 100).open_intents == ()
    assert memory.memory(tx, A, 100).variables == ()


def test_open_intents_come_oldest_first_and_resolved_ones_not_at_all(tx: Transaction) -> None:
    older = replace(UPGRADE, intent="older", opened_at=50)
    done = replace(REFUND, intent="done", status=IntentStatus.RESOLVED)
    memory.save_intents(tx, A, [UPGRADE, REFUND, older, done])
    assert memory.memory(tx, A, 100).open_intents == (older, REFUND, UPGRADE)


def test_named_intents_are_found_resolved_or_not(tx: Transaction) -> None:
    done = replace(REFUND, status=IntentStatus.RESOLVED, resolution=None)
    memory.save_intents(tx, A, [REFUND, UPGRADE])
    memory.save_intents(tx, A, [done])
    assert memory.intents(tx, A, ["refund", "unknown"]) == {"refund": done}
    assert memory.intents(tx, B, ["refund"]) == {}
    assert memory.all_intents(tx, A) == [done, UPGRADE]


def test_variables_come_in_order_of_creation(tx: Transaction) -> None:
    older = replace(NAME, name="zip", created_at=50, position=7)
    memory.save_variables(tx, A, [TIER, NAME, older], [])
    assert memory.memory(tx, A, 100).variables == (older, NAME, TIER)


@pytest.mark.parametrize(("now", "lives"), [(60_099, True), (60_100, False), (60_101, False)])
def test_a_variable_is_gone_at_its_millisecond(tx: Transaction, now: int, lives: bool) -> None:
    memory.save_variables(tx, A, [NAME], [])
    assert (memory.memory(tx, A, now).variables == (NAME,)) is lives
    assert (memory.variables(tx, A, ["name", "unknown"], now) == {"name": NAME}) is lives


def test_variables_are_replaced_and_forgotten(tx: Transaction) -> None:
    memory.save_variables(tx, A, [NAME, TIER], [])
    changed = replace(NAME, value="Jane", source=None)
    memory.save_variables(tx, A, [changed], ["tier", "unknown"])
    assert memory.memory(tx, A, 100).variables == (changed,)


def test_the_customer_knows_when_its_first_variable_expires(tx: Transaction) -> None:
    assert next_expiry(tx) is None
    memory.save_variables(tx, A, [TIER, NAME], [])
    assert next_expiry(tx) == NAME.expires_at
    memory.save_variables(tx, A, [], ["name"])
    assert next_expiry(tx) == TIER.expires_at
    memory.save_variables(tx, A, [], ["tier"])
    assert next_expiry(tx) is None


def test_saving_nothing_changes_nothing(tx: Transaction) -> None:
    memory.save_variables(tx, A, [NAME], [])
    memory.save_variables(tx, A, [], [])
    memory.save_intents(tx, A, [])
    assert memory.memory(tx, A, 100).variables == (NAME,)
