"""The schema: made by migrations, equal to the tables, safe when many start at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from adapter.engine.lockout import WrongAnswers
from adapter.engine.model import Mode
from adapter.errors import StoreMismatch, StoreUnavailable
from adapter.store import calls, lockouts, organizations, records, schema
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore
from adapter.store.tables import metadata
from adapter.store.transaction import NO_REALM
from tests.store import workers
from tests.store.people import A, remember


def objects(connection: sqlite3.Connection) -> dict[str, str]:
    """Tables and indexes with their SQL, whatever its white space."""
    others = "'alembic_version', 'sqlite_stat1'"
    found = connection.execute(f"SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT IN ({others})")
    return {name: " ".join(sql.split()) for name, sql in found}


@pytest.mark.sqlite
def test_migrations_make_exactly_the_tables(store: Store, tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/direct.db")
    metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "direct.db")) as direct, closing(sqlite3.connect(store.path)) as migrated:
        assert objects(migrated) == objects(direct)


def test_alembic_sees_no_difference_either(store: Store, url: str) -> None:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_revisions_are_what_the_files_names_begin_with() -> None:
    script = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert schema.head() == script.get_current_head()
    for step in script.walk_revisions():
        schema.check_known(step.revision)


def test_caller_data_is_keyed_by_realm_and_lives_in_its_key() -> None:
    reference = {"organizations", "api_keys", "clocks"}
    for table in metadata.sorted_tables:
        key = [column.name for column in table.primary_key]
        assert table.name in reference or key[0] == "account"
        assert table.name in reference | {"usage", "rate_hits", "turns"} or key[:2] == ["account", "realm"]
        assert table.dialect_options["sqlite"]["with_rowid"] is False


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.migrate()
    assert store.schema_problems() == []


def test_the_way_to_the_file_may_have_any_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a %20 b#é?"
    folder.mkdir()
    store = SqliteStore(folder / "c;d.db", Keyring(), 1.0)
    store.migrate()
    store.ping()
    store.close()
    assert (folder / "c;d.db").exists()


@pytest.mark.sqlite
def test_a_new_database_and_its_companions_are_nobody_elses_to_read(url: str, path: Path) -> None:
    store = open_store(url, Keyring())
    store.migrate()
    with store.read(NO_REALM):
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir() if file.is_file()}
    assert len(modes) >= 3
    assert set(modes.values()) == {0o600}
    store.close()


def test_a_database_that_cannot_be_created_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be created"):
        open_store(f"sqlite:///{tmp_path}/folder.db", Keyring()).migrate()


@pytest.mark.slow
def test_many_workers_may_migrate_at_once(url: str) -> None:
    assert workers.in_processes(workers.migrate, [(url,)] * 6) == [[]] * 6


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()


@pytest.mark.sqlite
def test_a_newer_schema_is_refused(store: Store) -> None:
    set_version(store.path, "9999")
    with pytest.raises(StoreMismatch, match="9999"):
        store.migrate()
    assert store.schema_problems() == [
        "the database is at 9999, which this version does not know: install the newer version"
    ]


@pytest.mark.sqlite
def test_a_database_of_something_else_is_left_alone(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    store = open_store(url, Keyring())
    with pytest.raises(StoreMismatch, match="something else"):
        store.migrate()
    assert store.schema_problems() != []
    store.close()


@pytest.mark.sqlite
def test_a_step_that_fails_leaves_nothing(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = schema.run_steps

    def half(connection: sa.Connection) -> None:
        real(connection, "0001")
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema, "run_steps", half)
    store = open_store(url, Keyring())
    with pytest.raises(RuntimeError, match="power cut"):
        store.migrate()
    monkeypatch.undo()
    with closing(sqlite3.connect(path)) as connection:
        assert objects(connection) == {}
    store.migrate()
    assert store.schema_problems() == []
    store.close()


@pytest.mark.sqlite
def test_a_step_that_ended_its_transaction_is_not_rolled_back_twice(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(schema, "run_steps", broken)
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        open_store(url, Keyring()).migrate()


@pytest.mark.sqlite
def test_what_the_database_says_to_a_step_is_told_as_of_any_other(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "run_steps", lambda connection: connection.exec_driver_sql("SELECT * FROM nowhere"))
    with pytest.raises(StoreMismatch, match="no such table: nowhere"):
        open_store(url, Keyring()).migrate()


@pytest.mark.sqlite
def test_a_damaged_file_is_a_problem_not_an_exception(store: Store) -> None:
    store.ping()
    with store.lock.held():
        store.connections.drop_writer()
    store.truncate_log()
    data = store.path.read_bytes()
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (len(data) - 4096))
    assert store.schema_problems() != []
    store.path.unlink()
    assert "gone" in store.schema_problems()[0]


@pytest.mark.sqlite
def test_an_empty_version_table_counts_as_no_version(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()
    assert "schema is at nothing" in store.schema_problems()[0]


@pytest.mark.sqlite
def test_a_database_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it(
    url: str, path: Path, keyring: Keyring
) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema.run_steps(connection, "0001")
    engine.dispose()
    store = open_store(url, keyring)
    realm = organizations.register(store, [("org", "ba_1")])["org"].realm(Mode.PROD)
    with store.begin(realm) as tx:
        call = remember(tx)
    with closing(sqlite3.connect(path)) as read:
        tables = [name for (name,) in read.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        before = {name: read.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    assert not {"lockouts", "turns"} & {*tables}
    store.migrate()
    assert store.schema_problems() == []
    with closing(sqlite3.connect(path)) as read:
        after = {name: read.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    assert {**after, "alembic_version": before["alembic_version"]} == before
    with store.begin(realm) as tx:
        assert calls.find(tx, call.call_id) == call
        exported = records.export(tx, A, 100)
        assert exported is not None
        assert (len(exported.variables), len(exported.intents), len(exported.calls)) == (2, 2, 1)
        lockouts.save(tx, lockouts.tokens_of_customer(tx, A), WrongAnswers(1, 200))
        assert records.erase(tx, A, 100)
    store.close()
