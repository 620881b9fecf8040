"""The schema on PostgreSQL: made by the same steps, safe when many start at once, and nobody else's tables touched."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from adapter.errors import StoreMismatch
from adapter.store import schema
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.postgres import schema as postgres_schema
from adapter.store.sealing import Keyring
from adapter.store.transaction import NO_REALM
from tests import databases
from tests.store import workers

pytestmark = pytest.mark.postgresql


@pytest.fixture
def bare() -> str:
    """A database with nothing in it."""
    return databases.postgresql.bare()


@pytest.fixture
def store(bare: str) -> Iterator[Store]:
    store = open_store(bare, Keyring())
    yield store
    store.close()


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)


@pytest.mark.slow
def test_many_workers_may_migrate_at_once(bare: str) -> None:
    assert workers.in_processes(workers.migrate, [(bare,)] * 6) == [[]] * 6


def test_who_waits_for_another_to_migrate_sees_what_was_made_meanwhile(store: Store) -> None:
    with store.connections.alone(autocommit=False) as waiting:
        assert postgres_schema.current(waiting) is None
        waiting.execute("SELECT pg_advisory_xact_lock(1)")
        store.migrate()
        assert postgres_schema.current(waiting) == schema.head()


def test_before_that_everything_says_what_to_do(store: Store) -> None:
    with pytest.raises(StoreMismatch, match="db upgrade"), store.read(NO_REALM) as tx:
        tx.rows(workers._SET, {"to": 1})
    with pytest.raises(StoreMismatch, match="db upgrade"), store.begin(NO_REALM):
        pass
    assert store.schema_problems() == schema.behind(None)


def test_a_newer_schema_is_refused(bare: str, store: Store) -> None:
    store.migrate()
    run(bare, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreMismatch, match="9999"):
        store.migrate()
    assert store.schema_problems() == schema.behind("9999")


def test_an_empty_version_table_counts_as_no_version(bare: str, store: Store) -> None:
    store.migrate()
    run(bare, "DELETE FROM alembic_version")
    assert store.schema_problems() == schema.behind(None)


def test_a_database_of_something_else_is_left_alone(bare: str, store: Store) -> None:
    run(bare, "CREATE TABLE theirs (x int)")
    with pytest.raises(StoreMismatch, match="something else"):
        store.migrate()
    assert store.schema_problems() == schema.behind(None)


def test_a_step_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = command.upgrade

    def half(config: Config, revision: str) -> None:
        real(config, revision)
        raise RuntimeError("power cut")

    monkeypatch.setattr(command, "upgrade", half)
    with pytest.raises(RuntimeError, match="power cut"):
        store.migrate()
    monkeypatch.undo()
    assert store.schema_problems() == schema.behind(None)
    store.migrate()
    assert store.schema_problems() == []


def test_a_server_at_work_needs_no_right_to_change_tables(bare: str, store: Store) -> None:
    store.migrate()
    run(bare, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run(bare, "DROP ROLE IF EXISTS clerk")
    run(bare, "CREATE ROLE clerk LOGIN")
    run(bare, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
    clerk = open_store(bare.replace("//tests", "//clerk"), Keyring())
    clerk.migrate()
    clerk.ping()
    clerk.close()
    run(bare, "DROP OWNED BY clerk")
    run(bare, "DROP ROLE clerk")


def test_text_is_ordered_by_code_point_whatever_the_locale(bare: str, store: Store) -> None:
    """An index in the order of a locale breaks when the operating system's locales change."""
    store.migrate()
    with psycopg.connect(bare) as connection:
        others = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        ).fetchall()
    assert others == []


def test_who_migrates_has_the_lock_to_the_end(bare: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by six workers at once: whoever lost it made the same tables as somebody else."""
    real, held = command.upgrade, []

    def looking(config: Config, revision: str) -> None:
        real(config, revision)
        with psycopg.connect(bare) as other:
            held.extend(other.execute("SELECT granted FROM pg_locks WHERE locktype = 'advisory'").fetchall())

    monkeypatch.setattr(command, "upgrade", looking)
    store.migrate()
    assert held == [(True,)]
