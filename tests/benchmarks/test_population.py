"""A store made in bulk is what the product would have made, customer by customer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.app import build_service
from adapter.config import DatabaseConfig
from adapter.engine.model import EndCall, Hints, LineType, Mode, Realm, VariableUpdate
from adapter.store import customers, records
from adapter.store.memory import memory
from adapter.store.tables import metadata
from adapter.usecases import Service, end_call, sweep
from tests import databases
from tests.benchmarks.population import EXTERNAL_KEY, external_id, known_of, populate, sid
from tests.builders import a_config
from tests.serving import caller_number

pytestmark = pytest.mark.sqlite

CUSTOMERS, CALLS = 40, 100


def service_in(folder: Path) -> Service:
    folder.mkdir(exist_ok=True)
    return build_service(dataclasses.replace(a_config(folder), database=DatabaseConfig(url_in(folder))))


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'calls.db'}"


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    folder = tmp_path_factory.mktemp("bulk")
    service = service_in(folder)
    populate(service, folder / "calls.db", CUSTOMERS, CALLS)
    yield service, folder
    service.store.close()


def realm_of(service: Service) -> Realm:
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    return principal.realm


def test_everybody_is_found_by_both_identities_with_three_variables_and_their_calls(bulk: tuple[Service, Path]) -> None:
    service, _ = bulk
    with service.store.read(realm_of(service)) as tx:
        for count in (0, 1, CUSTOMERS // 2, CUSTOMERS - 1):
            number, pair = caller_number(count), (EXTERNAL_KEY, external_id(count))
            facts = customers.facts(tx, Hints(ani=number, external_ids=(pair,)))
            (link,) = facts.ani
            assert facts.external[pair].customer_ref == link.customer_ref
            assert link.line_type is LineType.MOBILE
            assert facts.sightings[pair].with_this_ani_in_call == sid(-1 - count)
            known = memory(tx, link.customer_ref, service.clock.now()).variables
            assert [(each.name, each.value) for each in known] == list(known_of(count))
            record = records.export(tx, link.customer_ref, service.clock.now())
            assert record is not None
            assert {each.ani for each in record.calls} == {number}
            assert len(record.calls) == CALLS // CUSTOMERS + (count < CALLS % CUSTOMERS) + (count == 0)


def test_the_store_is_sound_and_nothing_in_it_is_old_enough_to_go(bulk: tuple[Service, Path]) -> None:
    service, _ = bulk
    assert service.store.schema_problems() == []
    gone = dataclasses.asdict(sweep(service))
    assert [name for name, number in gone.items() if number and name != "log_truncated"] == []


@pytest.mark.parametrize("table", ["customers", "numbers", "external_ids", "sightings", "variables"])
def test_rows_look_as_those_of_the_product(bulk: tuple[Service, Path], tmp_path: Path, table: str) -> None:
    """Column by column: the same type and length, the same value where it says nothing of the customer."""
    service = service_in(tmp_path / "real")
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    for count in range(12):
        hints = Hints(
            ani=caller_number(count), line_type=LineType.MOBILE, external_ids=((EXTERNAL_KEY, external_id(count)),)
        )
        known = tuple(VariableUpdate(name, value) for name, value in known_of(count))
        end_call(service, principal, EndCall(sid(count), hints=hints, variables=known))
    service.store.close()
    assert shapes(bulk[1], table) == shapes(tmp_path / "real", table)


def shapes(folder: Path, table: str) -> set[tuple[Any, ...]]:
    of = [f"typeof({column.name}), length({column.name})" for column in metadata.tables[table].c]
    # Longer names come with more customers.
    few = "WHERE length(sealed) <> 9" if table == "variables" else ""
    return set(databases.rows_at(url_in(folder), f"SELECT {', '.join(of)} FROM {table} {few}"))
