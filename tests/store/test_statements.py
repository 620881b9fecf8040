"""No statement that a call waits for reads more of a table than it needs."""

from __future__ import annotations

import importlib
import re

import psycopg
import pytest
import sqlalchemy as sa

from adapter.store.database import Store
from adapter.store.statements import Dialect, PerTokens, Prepared
from adapter.store.tables import customers
from adapter.store.transaction import NO_REALM

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
WHOLE = {("keys", "_ALL"), ("meters", "_ORGANIZATIONS"), ("sweep", "_ORGANIZATIONS")}


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
    """What SQLite would do."""
    sql = statement.text(Dialect.SQLITE).sql
    with store.lock.held():
        connection = store.connections.writer()
        values = dict.fromkeys(re.findall(r":(\w+)", sql))
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


def scans(url: str, statement: Prepared) -> list[str]:
    """Where PostgreSQL would have to read a whole table: told not to, it does so only for want of an index."""
    sql, constants = statement.text(Dialect.POSTGRESQL)
    values = {**dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)), **constants, "account": 0, "realm": 0, "now": 0}
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        steps = connection.execute(f"EXPLAIN {sql}", {**values, "customer": b""})
        return [step for (step,) in steps if "Seq Scan" in step]


def test_there_is_something_to_look_at() -> None:
    assert len(prepared()) > 60


@pytest.mark.sqlite
@pytest.mark.parametrize("statement", [pytest.param(p, id=f"{m}.{n}") for m, n, p in prepared()])
def test_every_table_is_searched_by_its_key_not_scanned(store: Store, statement: Prepared) -> None:
    steps = plan(store, statement)
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step] == []
    searches = [step for step in steps if step.startswith("SEARCH") and "api_keys" not in step]
    assert all("account=?" in step for step in searches)


@pytest.mark.postgresql
@pytest.mark.parametrize("statement", [pytest.param(p, id=f"{m}.{n}") for m, n, p in prepared()])
def test_no_table_has_to_be_scanned_on_postgresql(url: str, statement: Prepared) -> None:
    assert scans(url, statement) == []


@pytest.mark.sqlite
def test_a_scan_would_be_seen(store: Store) -> None:
    assert any(step.startswith("SCAN") for step in plan(store, Prepared(sa.select(customers.c.created_at))))


@pytest.mark.postgresql
def test_a_scan_would_be_seen_on_postgresql(url: str) -> None:
    assert scans(url, Prepared(sa.select(customers.c.created_at))) != []


def test_a_statement_is_compiled_once_and_brings_its_constants(store: Store) -> None:
    from adapter.store.memory import _OPEN_INTENTS

    for dialect in Dialect:
        assert _OPEN_INTENTS.text(dialect) is _OPEN_INTENTS.text(dialect)
        assert list(_OPEN_INTENTS.text(dialect).constants.values()) == [0]
    with store.read(NO_REALM) as tx:
        assert tx.rows(_OPEN_INTENTS, {"customer": b""}) == []
