"""No statement that a call waits for reads more of a table than it needs."""

from __future__ import annotations

import importlib

import pytest

from adapter.store.database import NO_REALM, Store
from adapter.store.statements import PerTokens, Prepared

HOT = (
    "customers",
    "identities",
    "memory",
    "calls",
    "meters",
    "answers",
    "lockouts",
    "keys",
    "records",
    "sweep",
    "rekey",
)
# Reading a whole small table is the point of these, or they run once a boot.
WHOLE = {("keys", "_ALL"), ("sweep", "_ORGANIZATIONS")}


def prepared() -> list[tuple[str, str, Prepared]]:
    found = []
    for module in HOT:
        for name, value in vars(importlib.import_module(f"adapter.store.{module}")).items():
            many = value if isinstance(value, tuple) else (value,)
            for each in many:
                if isinstance(each, PerTokens):
                    found += [(module, name, each[number]) for number in (1, 2, 3)]
                page = getattr(each, "page", each)
                if isinstance(page, Prepared):
                    found.append((module, name, page))
    return [row for row in found if (row[0], row[1]) not in WHOLE]


def plan(store: Store, statement: Prepared) -> list[str]:
    with store.lock.held():
        connection = store.connections.writer()
        values = dict.fromkeys(_names(statement.sql))
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values)]


def _names(sql: str) -> list[str]:
    import re

    return re.findall(r":(\w+)", sql)


def test_there_is_something_to_look_at() -> None:
    assert len(prepared()) > 60


@pytest.mark.parametrize("statement", [pytest.param(p, id=f"{m}.{n}") for m, n, p in prepared()])
def test_every_table_is_searched_by_its_key_not_scanned(store: Store, statement: Prepared) -> None:
    steps = plan(store, statement)
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step] == []
    searches = [step for step in steps if step.startswith("SEARCH") and "api_keys" not in step]
    assert all("account=?" in step for step in searches)


def test_a_scan_would_be_seen(store: Store) -> None:
    import sqlalchemy as sa

    from adapter.store.tables import customers

    assert any(step.startswith("SCAN") for step in plan(store, Prepared(sa.select(customers.c.created_at))))


def test_a_statement_is_compiled_once_and_brings_its_constants(store: Store) -> None:
    from adapter.store.memory import _OPEN_INTENTS

    assert _OPEN_INTENTS.sql is _OPEN_INTENTS.sql
    assert list(_OPEN_INTENTS.constants.values()) == [0]
    with store.read(NO_REALM) as tx:
        assert tx.rows(_OPEN_INTENTS, {"customer": b""}) == []
