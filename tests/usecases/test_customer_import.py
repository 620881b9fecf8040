"""Bulk import: what comes of many records together is what comes of them one by one, by the ordinary rules."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.app import build_service
from adapter.config import Config, SecurityConfig
from adapter.engine import identity
from adapter.engine.model import (
    Call,
    EndCall,
    Hints,
    IntentStatus,
    IntentUpdate,
    LineType,
    Mode,
    Principal,
    VariableUpdate,
)
from adapter.engine.policy import DAY, HOUR
from adapter.store import calls, customers, meters, records
from adapter.store.transaction import Transaction
from adapter.usecases import Progress, Record, Service, import_customers, import_progress
from adapter.usecases.end import _remember
from adapter.usecases.recognition import recognize
from tests import databases
from tests.builders import NOW, CountedIds, ToldClock, a_config

FILE = "0123456789abcdef"
TABLES = ("customers", "numbers", "external_ids", "sightings", "variables", "intents")
KEYS = (("k", bytes(range(32))),)


def ref(number: int) -> str:
    ids = CountedIds(number - 1)
    return ids.customer_ref()


def somebody(chance: random.Random, place: int) -> Record:
    """Of few numbers and ids, so that people share, move and contradict each other."""
    ani = chance.choice([None, *(f"+1415555{number:04d}" for number in range(6))])
    pairs = {chance.choice(["account", "crm", "call_id"]): str(chance.randrange(5)) for _ in range(chance.randrange(3))}
    hints = Hints(
        ani=ani,
        external_ids=tuple(pairs.items()),
        customer_ref=ref(chance.randrange(1, 4)) if place >= 50 and chance.random() < 0.2 else None,
        line_type=chance.choice([None, *LineType]) if ani else None,
    )
    updates = tuple(
        VariableUpdate(name, chance.choice([None, "x", "y"]), "import", chance.choice([None, 60, 7200]))
        for name in chance.sample(["name", "plan", "city"], chance.randrange(3))
    )
    about = tuple(
        IntentUpdate(name, chance.choice(list(IntentStatus)), chance.choice([None, {"by": "phone"}]))
        for name in chance.sample(["refund", "order"], chance.randrange(2))
    )
    numbers = tuple(Hints(f"+1415555{number:04d}") for number in chance.sample(range(6), chance.choice([0, 0, 1, 2])))
    return Record(place, hints, numbers, about, updates)


def one_by_one(service: Service, principal: Principal, people: list[Record]) -> None:
    def work(tx: Transaction) -> None:
        now = service.clock.now()
        for each in people:
            call_id = f"import/{FILE[:12]}/{each.place}"
            found = recognize(service, tx, call_id, each.hints, now)
            for number in each.numbers:
                recognize(service, tx, call_id, replace(number, customer_ref=found.customer_ref), now)
            end = EndCall(call_id, hints=each.hints, intents=each.intents, variables=each.variables)
            _remember(service, tx, end, Call(call_id, now, found.customer_ref), now)

    service.store.transact(principal.realm, work)


def together(service: Service, principal: Principal, people: list[Record]) -> None:
    now = service.clock.now()
    contacts = [replace(each, last_contact=now) for each in people]
    before = import_progress(service, principal, FILE)
    import_customers(service, principal, FILE, contacts, before)


def what_is_kept(
    folder: Path, config: Config, seed: int, take: Callable[..., None]
) -> dict[str, list[tuple[object, ...]]]:
    """After four files of fifty, a day or an hour apart."""
    clock, chance = ToldClock(), random.Random(seed)
    service = build_service(config, clock=clock, ids=CountedIds())
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    for first in range(0, 200, 50):
        take(service, principal, [somebody(chance, first + place) for place in range(50)])
        clock.advance(ms=chance.choice([HOUR, DAY, 30 * DAY]))
    service.store.close()
    return {name: sorted(databases.rows(folder, f"SELECT * FROM {name}"), key=repr) for name in TABLES}


@pytest.mark.stores
@pytest.mark.parametrize("seed", range(4))
def test_together_is_as_one_by_one(tmp_path: Path, seed: int) -> None:
    kept = []
    for take in (one_by_one, together):
        folder = tmp_path / take.__name__
        folder.mkdir()
        kept.append(what_is_kept(folder, a_config(folder), seed, take))
    for name in TABLES:
        assert kept[0][name] == kept[1][name], name
        assert kept[0][name]


@pytest.mark.sqlite
def test_together_is_as_one_by_one_where_values_are_sealed_and_a_number_has_very_many(tmp_path: Path) -> None:
    """Sealed values differ each time; what they are sealed beside does not."""
    kept = []
    for take in (one_by_one, together):
        folder = tmp_path / take.__name__
        folder.mkdir()
        config = a_config(folder, security=SecurityConfig(encryption_keys=KEYS))
        found = what_is_kept(folder, config, 9, take)
        kept.append(
            {
                name: [tuple(v for v in row if not isinstance(v, bytes) or len(v) == 16) for row in found[name]]
                for name in TABLES
            }
        )
    assert kept[0] == kept[1]


@pytest.fixture
def principal(service: Service) -> Principal:
    found = service.directory.principal("acme", Mode.PROD)
    assert found is not None
    return found


def test_more_customers_on_a_number_than_are_considered_are_all_found_by_their_ids(
    service: Service, principal: Principal
) -> None:
    def crowd(contact: int) -> list[Record]:
        hints = [
            Hints("+14155550123", external_ids=(("crm", str(place)),), line_type=LineType.LANDLINE)
            for place in range(70)
        ]
        return [Record(place, each, last_contact=contact) for place, each in enumerate(hints)]

    first = import_customers(service, principal, "one", crowd(NOW - DAY), Progress())
    again = import_customers(service, principal, "two", crowd(NOW), Progress())
    assert (first.progress.created, again.progress.created, again.progress.known) == (70, 0, 70)
    with service.store.read(principal.realm) as tx:
        assert len(customers.facts(tx, Hints("+14155550123")).ani) == 50


def test_a_further_number_that_is_somebody_elses_is_theirs_from_the_second_file_on(
    service: Service, principal: Principal
) -> None:
    """Once it may be a mistake or a borrowed phone (semantics §5)."""
    import_customers(service, principal, "other", [Record(1, Hints("+14155550124"))], Progress())
    ours = Record(1, Hints("+14155550123", external_ids=(("crm", "1"),)), (Hints("+14155550124"),))
    owners = []
    for file in ("one", "two"):
        import_customers(service, principal, file, [ours], Progress())
        with service.store.read(principal.realm) as tx:
            owners.append(len(customers.facts(tx, Hints("+14155550124")).ani))
    assert owners == [1, 2]


def test_who_is_imported_has_not_called(service: Service, principal: Principal) -> None:
    import_customers(service, principal, FILE, [Record(1, Hints("+14155550123"))], Progress())
    with service.store.read(principal.realm) as tx:
        (found,) = customers.facts(tx, Hints("+14155550123")).customers.values()
        assert found.last_contact == NOW - 8 * DAY
        assert recency_of(service, tx) == ()


def recency_of(service: Service, tx: Transaction) -> tuple[str, ...]:
    facts = customers.facts(tx, Hints("+14155550123"))
    decision = identity.resolve("c", Hints("+14155550123"), facts, service.policy, service.clock.now())
    return tuple(each for each in decision.identity.sources if each.startswith("recency"))


def test_a_reference_of_the_other_system_is_kept_and_an_erased_one_stays_erased(
    service: Service, principal: Principal
) -> None:
    theirs = "11111111-2222-4333-8444-555555555555"
    record = Record(7, Hints("+14155550123", customer_ref=theirs), (Hints("+14155550124"),))
    assert import_customers(service, principal, "one", [record], Progress()).progress.created == 1
    with service.store.read(principal.realm) as tx:
        kept = records.export(tx, theirs, NOW)
    assert kept is not None
    assert {number for number, _, _ in kept.numbers} == {"+14155550123", "+14155550124"}
    service.store.transact(principal.realm, lambda tx: records.erase(tx, theirs, NOW))
    taken = import_customers(service, principal, "two", [record], Progress())
    assert (taken.erased, taken.progress) == ((7,), Progress(read=1, refused=1))
    with service.store.read(principal.realm) as tx:
        assert records.export(tx, theirs, NOW) is None


def test_nothing_of_an_erased_customer_comes_back_to_who_has_the_number_now(
    service: Service, principal: Principal
) -> None:
    theirs = "11111111-2222-4333-8444-555555555555"
    record = Record(7, Hints("+14155550123", customer_ref=theirs), variables=(VariableUpdate("name", "Maria"),))
    import_customers(service, principal, "one", [record], Progress())
    service.store.transact(principal.realm, lambda tx: records.erase(tx, theirs, NOW))
    import_customers(service, principal, "two", [Record(1, Hints("+14155550123"))], Progress())
    taken = import_customers(service, principal, "three", [record], Progress())
    assert (taken.erased, taken.progress) == ((7,), Progress(read=1, refused=1))
    with service.store.read(principal.realm) as tx:
        (now,) = customers.facts(tx, Hints("+14155550123")).customers
        kept = records.export(tx, now, NOW)
    assert kept is not None
    assert kept.variables == ()


def test_who_has_a_reference_of_their_own_is_nobody_else_on_a_number(service: Service, principal: Principal) -> None:
    """Taken for whoever has the number, they would hear each other's memory."""
    maria, peter = (f"11111111-2222-4333-8444-{place:012}" for place in range(2))
    theirs = (Hints("+14155550124"), Hints("+14155550125"))
    people = [
        Record(1, Hints("+14155550123", customer_ref=maria, external_ids=(("crm", "1"),)), theirs),
        Record(2, Hints("+14155550123", customer_ref=peter, external_ids=(("crm", "2"),)), theirs),
    ]
    for file in ("one", "two"):
        import_customers(service, principal, file, people, Progress())
        with service.store.read(principal.realm) as tx:
            for number in ("+14155550123", "+14155550124", "+14155550125"):
                assert set(customers.facts(tx, Hints(number)).customers) == {maria, peter}


def test_an_external_id_tells_whose_record_it_is_where_its_reference_is_unknown(
    service: Service, principal: Principal
) -> None:
    import_customers(service, principal, "one", [Record(1, Hints(external_ids=(("crm", "1"),)))], Progress())
    hints = Hints("+14155550123", external_ids=(("crm", "1"),), customer_ref="11111111-2222-4333-8444-555555555555")
    taken = import_customers(service, principal, "two", [Record(1, hints)], Progress())
    assert taken.progress == Progress(read=1, known=1)


def test_it_is_no_call_and_costs_nothing(service: Service, principal: Principal) -> None:
    import_customers(service, principal, FILE, [Record(1, Hints("+14155550123"))], Progress())
    with service.store.read(principal.realm) as tx:
        assert calls.begun_after(tx, 0) == []
        assert meters.periods(tx) == []


def test_a_page_that_somebody_has_taken_already_is_not_taken_twice(service: Service, principal: Principal) -> None:
    page = [Record(1, Hints(external_ids=(("crm", "1"),)), intents=(IntentUpdate("refund"),))]
    first = import_customers(service, principal, FILE, page, Progress())
    assert import_customers(service, principal, FILE, page, Progress()).progress == first.progress
    assert import_progress(service, principal, FILE) == first.progress == Progress(read=1, created=1)
