"""Every table and statement keeps to one account, and what does not is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from adapter.engine.policy import RetentionPolicy
from adapter.store.database import Store
from adapter.store.postgres import batches, distribution, turns, wire
from adapter.store.postgres.distribution import statement_problems, table_problems
from adapter.store.postgres.wire import Said
from adapter.store.sweep import sweep
from adapter.store.tables import metadata
from adapter.store.transaction import NO_REALM
from adapter.usecases import Service
from tests.builders import NOW, Api, Twilio, call_sid

ROOT = Path(__file__).parent.parent.parent.parent
OF = "account = %(account)s AND realm = %(realm)s"
OF_C = "c.account = %(account)s AND c.realm = %(realm)s"
COLUMNS = (sa.Column("account", sa.BigInteger, primary_key=True), sa.Column("realm", sa.BigInteger, primary_key=True))


@pytest.mark.sqlite
def test_the_product_is_fit(store: Store) -> None:
    assert distribution.problems(store) == []
    assert sum(1 for _ in distribution.statements()) > 80


@pytest.mark.postgresql
def test_the_database_is_fit_and_what_was_added_to_it_is_found(store: Store, url: str) -> None:
    assert distribution.problems(store) == []
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE UNIQUE INDEX seeded ON calls (call_id, account)")
            connection.execute(
                "ALTER TABLE numbers ADD CONSTRAINT seeded FOREIGN KEY (account, realm, customer) REFERENCES customers"
            )
        found = distribution.problems(store)
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("DROP INDEX seeded; ALTER TABLE numbers DROP CONSTRAINT seeded")
    assert ["calls: unique by" in found[0], found[1:]] == [True, ["numbers: has the foreign key seeded"]]


def table(*parts: Any) -> sa.Table:
    return sa.Table("seeded", sa.MetaData(), *parts)


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (lambda: table(sa.Column("id", sa.Text, primary_key=True)), "the primary key begins with id"),
        (lambda: table(COLUMNS[1]._copy()), "the primary key begins with realm"),
        (lambda: table(COLUMNS[0]._copy(), sa.Column("realm", sa.Text)), "does not go on with the realm"),
        (
            lambda: table(*(column._copy() for column in COLUMNS), sa.Column("x", sa.Text, unique=True)),
            "unique over all accounts",
        ),
        (
            lambda: table(*(c._copy() for c in COLUMNS), sa.ForeignKeyConstraint(["realm"], ["seeded.realm"])),
            "a foreign key does not begin with account",
        ),
    ],
    ids=["no account", "account second", "no realm", "unique", "foreign key"],
)
def test_a_bad_table_is_found(bad: Any, found: str) -> None:
    assert any(found in told for told in table_problems([bad()]))


@pytest.mark.parametrize(
    "good",
    [
        f"SELECT 1 FROM calls WHERE {OF}",
        f"DELETE FROM calls WHERE {OF} AND call_id = %(call_id)s",
        "INSERT INTO calls (account, realm, x) VALUES (1, 2, 3) ON CONFLICT (account, realm, call_id) DO NOTHING",
        f"SELECT 1 FROM calls AS c JOIN numbers AS n ON n.account = c.account AND n.realm = c.realm WHERE {OF_C}",
        "SELECT prefix FROM api_keys WHERE hash = %(hash)s OR revoked_at IS NULL",
        "BEGIN",
    ],
)
def test_what_is_confined_is_let_through(good: str) -> None:
    assert statement_problems(good) == []


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("SELECT 1 FROM calls", "does not confine calls to one account"),
        ("SELECT 1 FROM calls WHERE account = %(account)s", "does not confine calls to one realm"),
        ("SELECT 1 FROM calls WHERE account > %(account)s AND realm = %(realm)s", "to one account"),
        ("SELECT 1 FROM calls WHERE account IN (%(a)s, %(b)s) AND realm = %(realm)s", "to one account"),
        (f"SELECT 1 FROM calls WHERE {OF} OR call_id = %(call_id)s", "has an OR"),
        (f"SELECT 1 FROM calls WHERE {OF} AND EXISTS (SELECT 1 FROM calls WHERE call_id = 'x')", "confine calls"),
        (f"SELECT 1 FROM calls, numbers WHERE calls.{OF.replace('realm =', 'calls.realm =')}", "confine numbers"),
        (
            f"SELECT 1 FROM calls AS c JOIN numbers AS n ON n.customer = c.customer WHERE {OF_C}",
            "confine numbers",
        ),
        ("UPDATE calls SET verdict = 'x' WHERE call_id = %(call_id)s", "confine calls"),
        ("DELETE FROM usage WHERE period < %(period)s", "confine usage"),
        ("INSERT INTO calls (call_id) VALUES (%(call_id)s)", "puts rows into calls without an account"),
        (
            "INSERT INTO calls (account, realm) VALUES (1, 2) ON CONFLICT (call_id) DO NOTHING",
            "puts rows into calls without an account",
        ),
        (
            f"UPDATE turns SET at = clock_timestamp() WHERE {OF}",
            "changes rows by clock_timestamp()",
        ),
        (
            "SELECT 1 FROM usage AS u JOIN turns AS t ON true WHERE u.account = %(one)s AND t.account = %(other)s",
            "names several accounts: one, other",
        ),
        (
            "SELECT (SELECT at FROM rate_hits WHERE rate_hits.account = organizations.account) FROM organizations",
            "confine rate_hits",
        ),
    ],
)
def test_a_bad_statement_is_found(bad: str, found: str) -> None:
    assert any(found in told for told in statement_problems(bad)), statement_problems(bad)


# What is really said


@pytest.mark.postgresql
def test_what_requests_really_say_keeps_to_one_account_and_realm(
    app: Flask, service: Service, api: Api, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []
    real = wire.said

    def said(sql: str, values: Mapping[str, Any]) -> Said:
        heard.append((sql, values))
        return real(sql, values)

    for module in (batches, turns):
        monkeypatch.setattr(module, "said", said)
    for number in range(2):
        pair = {"customer_id": "C1"}
        hints = {"ani": "+14155550123", "external_ids": pair}
        started = api.start(f"call_{number}", ani="+14155550123", external_ids=pair)
        assert started.status_code == 200
        ended = api.end(
            f"call_{number}",
            identity_hints=hints,
            variable_updates={"name": {"value": "Maria"}, "city": {"value": "Graz"}},
            intent_updates=[{"intent": "refund"}],
        )
        assert ended.status_code == 200
        assert twilio.voice(call_sid(number)).status_code == 200
        assert twilio.status(call_sid(number)).status_code == 204
    sweep(service.store, NOW + 10**12, RetentionPolicy(calls_days=1))
    assert {
        (told, sql) for sql, _ in heard if "DELETE FROM turns" not in sql for told in statement_problems(sql)
    } == set()
    assert len(heard) > 60
    assert {values["account"] for _, values in heard if "account" in values} <= {0, NO_REALM.account}
    mentioned = {name for sql, _ in heard for name in metadata.tables if re.search(rf"\b{name}\b", sql)}
    assert {"calls", "customers", "numbers", "external_ids", "variables", "intents", "usage", "turns"} <= mentioned


def test_the_recipe_names_every_table_where_it_belongs() -> None:
    recipe = (ROOT / "deploy/citus.md").read_text("utf-8")
    assert set(re.findall(r"create_reference_table\('(\w+)'\)", recipe)) == distribution.REFERENCE
    distributed = set(re.findall(r"create_distributed_table\('(\w+)', 'account'", recipe))
    assert distributed == metadata.tables.keys() - distribution.REFERENCE
