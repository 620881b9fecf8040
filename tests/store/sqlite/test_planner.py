"""No statement reads a whole realm to find a few rows: what SQLite's planner makes of each of them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

import adapter.store.sqlite
from adapter.store.sqlite import planner
from adapter.store.sqlite.store import SqliteStore
from adapter.store.statements import Dialect, PerTokens, Prepared

pytestmark = pytest.mark.sqlite

# Of these a realm, an account or the whole store has a handful (of `usage` a row a month).
_SHORT = {"organizations", "clocks", "api_keys", "usage"}
# A restore goes through all of them; a look at every table is for nobody's rows.
_ON_PURPOSE = {"restore._TOMBSTONES", "presence._LOOK"}


def statements() -> Iterator[tuple[str, Prepared]]:
    """All of the store's, by name; those for blind indexes for one and for two of them."""
    for package in (adapter.store, adapter.store.sqlite):
        for found in pkgutil.iter_modules(package.__path__):
            if not found.ispkg:
                for name, value in vars(importlib.import_module(f"{package.__name__}.{found.name}")).items():
                    yield from _named(f"{found.name}.{name}", value)


def _named(name: str, value: object) -> Iterator[tuple[str, Prepared]]:
    if isinstance(value, Prepared):
        yield name, value
    elif isinstance(value, PerTokens):
        yield from ((f"{name}[{number}]", value[number]) for number in (1, 2))
    elif isinstance(value, tuple):
        yield from (found for place, each in enumerate(value) for found in _named(f"{name}[{place}]", each))


def whole_realms(connection: sqlite3.Connection, statement: Prepared) -> list[str]:
    """The steps of its plan that look at every row of a table, or of a realm."""
    sql = statement.text(Dialect.SQLITE).sql
    names = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", names)]
    return [step for step in steps if _reads_all(step)]


def _reads_all(step: str) -> bool:
    table = re.match(r"(?:SCAN|SEARCH) (\w+)", step)
    if table is None or table[1] in _SHORT or step == "SCAN CONSTANT ROW":
        return False
    return step.startswith("SCAN ") or bool(re.search(r"\((account=\?)?( AND )?(realm=\?)?\)", step))


def test_every_statement_finds_its_rows_by_more_than_their_realm(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        found = {name: whole_realms(connection, statement) for name, statement in statements()}
    assert {name: steps for name, steps in found.items() if steps and name not in _ON_PURPOSE} == {}


def test_all_statements_are_looked_at() -> None:
    assert len(list(statements())) > 60


def test_a_planner_that_was_told_nothing_reads_whole_realms(store: SqliteStore) -> None:
    """The positive control: why it is told."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DELETE FROM sqlite_stat1")
        connection.commit()
    with closing(sqlite3.connect(store.path)) as connection:
        assert any(whole_realms(connection, statement) for _, statement in statements())
        assert planner.untold(connection)


def test_everything_is_told_when_a_store_is_brought_up_to_date(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        assert planner.untold(connection) == []
        connection.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'numbers'")
        connection.commit()
        assert {table for table, *_ in planner.untold(connection)} == {"numbers"}
    store.migrate()
    with closing(sqlite3.connect(store.path)) as connection:
        assert planner.untold(connection) == []


def test_what_was_counted_is_left_alone(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("UPDATE sqlite_stat1 SET stat = '7 7 7 1' WHERE idx = 'numbers_of_customer'")
        connection.commit()
    store.migrate()
    with closing(sqlite3.connect(store.path)) as connection:
        counted = connection.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'numbers_of_customer'").fetchall()
    assert counted == [("7 7 7 1",)]
