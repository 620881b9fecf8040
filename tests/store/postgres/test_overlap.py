"""What a transaction remembers of what it read: never stale, whatever it or its neighbours write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapter.engine.lockout import WrongAnswers
from adapter.engine.model import (
    Call,
    Hints,
    Intent,
    IntentStatus,
    LineType,
    Mode,
    Origin,
    Realm,
    Variable,
)
from adapter.store import answers, calls, customers, lockouts, memory, meters, organizations, records
from adapter.store.database import Store
from adapter.store.postgres import overlap
from adapter.store.transaction import Transaction

pytestmark = pytest.mark.postgresql
NOW = 1_800_000_000_000
MARIA, PEDRO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
HERS, HIS = "+14155550101", "+14155550102"
PAIR, OTHER = ("customer_id", "C1"), ("customer_id", "C2")
Step = Callable[[Transaction], Any]


def call(call_id: str, ref: str) -> Call:
    return Call(call_id, NOW, customer_ref=ref, origin=Origin.API)


def intent(name: str) -> Intent:
    return Intent(name, IntentStatus.OPEN, 1, NOW, 0, NOW, "call-1", None)


def variable(name: str, value: str) -> Variable:
    return Variable(name, value, None, 60, NOW, 0, NOW + 60_000)


def populated(tx: Transaction) -> None:
    """Two customers, each with all that a customer can have."""
    for ref, ani, pair, call_id in ((MARIA, HERS, PAIR, "call-1"), (PEDRO, HIS, OTHER, "call-2")):
        customers.create(tx, ref, NOW)
        customers.link_ani(tx, ani, ref, NOW)
        customers.link_external(tx, pair, ref, NOW)
        customers.sight(tx, ani, [pair], call_id, NOW)
        calls.save(tx, call(call_id, ref))
        memory.save_intents(tx, ref, [intent("refund")])
        memory.save_variables(tx, ref, [variable("name", ref)], [])
        answers.keep(tx, "end", call_id, "", {"a": 1}, ref, NOW + 60_000)
        lockouts.save(tx, lockouts.tokens_of_number(tx, ani), WrongAnswers(1, NOW + 60_000))
    meters.hit(tx, 0, NOW)
    meters.charge(tx, NOW)


def _reads(ref: str, ani: str, pair: tuple[str, str], call_id: str) -> dict[str, Step]:
    return {
        "facts of a number": lambda tx: customers.facts(tx, Hints(ani=ani)),
        "facts of an external id": lambda tx: customers.facts(tx, Hints(external_ids=(pair,), ani=ani)),
        "facts of a reference": lambda tx: customers.facts(tx, Hints(customer_ref=ref)),
        "whether there is a customer": lambda tx: customers.exists(tx, ref),
        "external values": lambda tx: customers.external_values(tx, ref, pair[0]),
        "memory": lambda tx: memory.memory(tx, ref, NOW),
        "one intent": lambda tx: memory.intents(tx, ref, ["refund"]),
        "one variable": lambda tx: memory.variables(tx, ref, ["name"], NOW),
        "a call": lambda tx: calls.find(tx, call_id),
        "calls of a customer": lambda tx: calls.of_customer(tx, ref),
        "a kept answer": lambda tx: answers.find(tx, "end", call_id, NOW),
        "wrong answers": lambda tx: lockouts.find(tx, lockouts.tokens_of_number(tx, ani)),
        "the newest hit": lambda tx: meters.newest_hit(tx, 0),
        "what is used": lambda tx: meters.used(tx, NOW),
    }


def _writes(ref: str, ani: str, pair: tuple[str, str], call_id: str) -> dict[str, Step]:
    return {
        "touch": lambda tx: customers.touch(tx, ref, NOW + 1),
        "see a number again": lambda tx: customers.link_ani(tx, ani, ref, NOW + 1, LineType.MOBILE, is_there=True),
        "link a number": lambda tx: customers.link_ani(tx, "+14155550199", ref, NOW + 1, is_there=False),
        "link the other's number": lambda tx: customers.link_ani(tx, HERS, PEDRO, NOW + 1),
        "unlink a number": lambda tx: customers.unlink_ani(tx, ani, ref),
        "move an external id": lambda tx: customers.link_external(tx, PAIR, PEDRO, NOW + 1),
        "doubt": lambda tx: customers.doubt(tx, ref, ani, [tx.token("pair", *pair).hex()]),
        "sight": lambda tx: customers.sight(tx, HERS, [OTHER], "call-3", NOW),
        "save a call": lambda tx: calls.save(tx, call(call_id, PEDRO)),
        "save an intent": lambda tx: memory.save_intents(tx, ref, [intent("order")]),
        "forget an intent": lambda tx: memory.forget_intents(tx, ref, ["refund"]),
        "save a variable": lambda tx: memory.save_variables(tx, ref, [variable("name", "new")], []),
        "keep an answer": lambda tx: answers.keep(tx, "end", call_id, "", {"a": 2}, ref, NOW + 60_000),
        "count a wrong answer": lambda tx: lockouts.save(
            tx, lockouts.tokens_of_number(tx, ani), WrongAnswers(2, NOW + 60_000)
        ),
        "hit": lambda tx: meters.hit(tx, 0, NOW + 1),
        "charge": lambda tx: meters.charge(tx, NOW),
        "erase": lambda tx: records.erase(tx, ref, NOW),
    }


HER, HIM = (MARIA, HERS, PAIR, "call-1"), (PEDRO, HIS, OTHER, "call-2")
WRITES = {f"{name} (hers)": step for name, step in _writes(*HER).items()}
WRITES |= {f"{name} (his)": step for name, step in _writes(*HIM).items()}
READS = _reads(*HER)


class Undone(Exception):
    """So that the next write finds everything as it was."""


def stale(store: Store, realm: Realm, write: Step) -> list[str]:
    """Which reads, made before the write and once more after it, give something else than the database does."""
    seen: dict[str, Any] = {}
    true: dict[str, Any] = {}

    def remembering(tx: Transaction) -> None:
        with tx.savepoint():
            for read in READS.values():
                read(tx)
            write(tx)
            seen.update({name: read(tx) for name, read in READS.items()})
            raise Undone

    def remembering_nothing() -> None:
        with store.begin(realm) as tx:
            write(tx)
            true.update({name: read(tx) for name, read in READS.items()})
            raise Undone

    with pytest.raises(Undone):
        store.transact(realm, remembering, ahead=lambda tx: [read(tx) for read in READS.values()])
    with pytest.raises(Undone):
        remembering_nothing()
    return [name for name in READS if seen[name] != true[name]]


@pytest.fixture
def realm(store: Store) -> Realm:
    realm = organizations.register(store, [("org", "ba_1")])["org"].realm(Mode.PROD)
    store.transact(realm, populated)
    return realm


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_nothing_that_is_remembered_is_stale(store: Store, realm: Realm, write: Step) -> None:
    assert stale(store, realm, write) == []


def test_a_memory_without_that_care_would_be(store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control."""
    monkeypatch.setattr(overlap, "meet", lambda *_: False)
    blind = [name for name, write in WRITES.items() if not stale(store, realm, write)]
    assert len(blind) < len(WRITES) / 2


def test_what_is_written_of_one_caller_leaves_the_memory_of_another(store: Store, realm: Realm) -> None:
    """Else sharing a transaction would be no gain."""
    asked: list[int] = []

    def work(tx: Transaction) -> None:
        customers.facts(tx, Hints(ani=HERS))
        memory.memory(tx, MARIA, NOW)
        real = tx._batches.connection.exchange
        tx._batches.connection.exchange = lambda said: asked.append(len(said)) or real(said)
        try:
            customers.touch(tx, PEDRO, NOW + 1)
            customers.link_ani(tx, HIS, PEDRO, NOW + 1, is_there=True)
            calls.save(tx, call("call-2", PEDRO))
            memory.save_variables(tx, PEDRO, [variable("name", "new")], [])
            customers.facts(tx, Hints(ani=HERS))
            memory.memory(tx, MARIA, NOW)
            assert asked == []
        finally:
            del tx._batches.connection.exchange

    store.transact(realm, work)
