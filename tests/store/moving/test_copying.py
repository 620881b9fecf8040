"""Everything of one database is in the other, whatever was written meanwhile, or it is told that it is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from adapter.engine.model import Mode, Realm
from adapter.errors import StoreMismatch, StoreUnavailable
from adapter.store import keys, meters
from adapter.store.database import Store
from adapter.store.moving import Copying, NotEqual, Step, abandon
from adapter.store.opening import open_store
from adapter.store.transaction import NO_REALM
from tests.store.moving import contents
from tests.store.moving.conftest import Opens


def silently(step: Step) -> None:
    """Nobody is told."""


def change(url: str, sql: str) -> None:
    """Past the product, and past everything that notices."""
    if url.startswith("postgresql:"):
        with psycopg.connect(url) as connection:
            connection.execute(sql)
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.executescript(sql)


def begun(old: Store, new: Store, batch: int = 3) -> Copying:
    copying = Copying(old, new, silently, batch)
    assert copying.begin()
    return copying


def test_there_is_something_in_every_table_that_is_copied(old: Store) -> None:
    assert [name for name, rows in contents.everything(old).items() if not rows] == []


def test_everything_is_copied_as_it_is(old: Store, new: Store) -> None:
    copying = begun(old, new)
    copying.copy()
    copying.verify()
    copied = copying.finish()
    there, here = contents.everything(old), contents.everything(new)
    assert here == there
    assert {name: each.rows for name, each in copied.tables.items()} == {name: len(all) for name, all in there.items()}
    assert copied.stopped_seconds is not None


def test_a_service_goes_on_with_the_copy(old: Store, new: Store) -> None:
    presented, _ = keys.issue(old, contents.PEPPER, "org", Mode.PROD, "", 100)
    copying = begun(old, new)
    copying.copy()
    copying.finish()
    new.migrate()
    assert new.schema_problems() == []
    assert keys.find(new, contents.PEPPER, presented, 200) is not None
    contents.use(new, 1)


def test_what_is_written_during_the_copy_is_copied(old: Store, new: Store) -> None:
    steps: list[Step] = []
    moments = iter(range(40))

    def write(step: Step) -> None:
        steps.append(step)
        if step.phase in ("copy", "catch up") and (moment := next(moments, None)) is not None:
            contents.use(old, moment)

    copying = Copying(old, new, write, 3)
    copying.begin()
    copying.copy()
    copying.verify()
    contents.use(old, 1_000)
    copying.catch_up = lambda: contents.use(old, 1_001)  # type: ignore[method-assign]  # there is always a last moment
    copying.finish()
    assert contents.everything(new) == contents.everything(old)
    assert {step.phase for step in steps} == {"copy", "catch up", "verify", "finish"}


def test_a_row_changed_again_while_it_is_copied_stays_noted(old: Store, new: Store) -> None:
    """Between the reading of a noted row and the forgetting of the note."""
    copying = begun(old, new)
    copying.copy()
    contents.use(old, 1)
    again = Copying(old, new, lambda step: contents.use(old, 2) if step.phase == "catch up" else None, 3)
    again.begin()
    again._catch_up(next(table for table in contents.TABLES if table.name == "usage"))
    copying = begun(old, new)
    copying.finish()
    assert contents.everything(new) == contents.everything(old)


# The old database, afterwards


def test_what_was_left_takes_no_more_writes_and_is_still_read(old: Store, new: Store) -> None:
    copying = begun(old, new)
    copying.copy()
    copying.finish()
    before = contents.everything(old)
    for realm in (*contents.realms(old), NO_REALM):
        with pytest.raises(StoreUnavailable, match="it was moved to "):
            old.transact(realm, lambda tx: meters.charge(tx, 0))
    assert contents.everything(old) == before
    assert old.schema_problems() == []


def test_an_abandoned_copy_leaves_nothing_behind(old: Store, new: Store) -> None:
    def objects() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(old.name)) as file:
            return file.execute("SELECT type, name FROM sqlite_master ORDER BY 2").fetchall()

    before = objects()
    copying = begun(old, new)
    assert len(objects()) > len(before) + 30
    assert abandon(old)
    assert objects() == before
    copying = begun(old, open_store(f"sqlite:///{old.name}.other", old.keyring))
    copying.copy()
    copying.finish()
    assert abandon(old)
    assert objects() == before
    assert not abandon(old)
    contents.use(old, 1)


# Refusals


def test_no_service_starts_on_an_unfinished_copy(old: Store, new: Store) -> None:
    begun(old, new)
    with pytest.raises(StoreMismatch, match="is not finished"):
        new.migrate()
    assert "is not finished" in new.schema_problems()[0]


def test_a_target_with_rows_of_its_own_is_refused(old: Store, new: Store) -> None:
    new.migrate()
    new.transact(Realm(0, 0), lambda tx: meters.charge(tx, 0))
    with pytest.raises(StoreMismatch, match=r"is not empty \(it has usage\)"):
        begun(old, new)
    assert not abandon(old), "nothing is noted for a copy that was refused"


def test_a_target_of_a_newer_version_is_refused(old: Store, new: Store, new_url: str) -> None:
    new.migrate()
    change(new_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreMismatch, match="install the newer version"):
        begun(old, new)


def test_a_source_of_an_older_version_is_refused(old: Store, old_url: str, new: Store) -> None:
    change(old_url, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(StoreMismatch, match="run `sticky-calls db upgrade`"):
        begun(old, new)


def test_a_part_of_another_copy_is_refused(old: Store, new: Store) -> None:
    begun(old, new).copy()
    abandon(old)
    with pytest.raises(StoreMismatch, match="a part of another copy"):
        begun(old, new)


def test_a_copy_begun_by_another_version_is_refused(old: Store, new: Store, new_url: str) -> None:
    begun(old, new)
    change(
        new_url, "UPDATE db_copy_progress SET state = replace(state, '\"for\": \"', '\"for\": \"9') WHERE name = 'copy'"
    )
    with pytest.raises(StoreMismatch, match="another version"):
        begun(old, new)


def test_of_two_at_work_one_gives_up(old: Store, new: Store) -> None:
    one = begun(old, new)
    begun(old, new).copy()
    with pytest.raises(StoreMismatch, match="another copy is at work"):
        one.copy()


def test_what_was_moved_is_not_moved_once_more(old: Store, new: Store, opened: Opens) -> None:
    copying = begun(old, new)
    copying.copy()
    copying.finish()
    assert not Copying(old, new, silently).begin(), "it is told that nothing is left to do"
    other = opened(f"sqlite:///{old.name}.other")
    other.migrate()
    with pytest.raises(StoreMismatch, match="was moved to"):
        Copying(old, other, silently).begin()


# The comparison


@pytest.mark.parametrize(
    "seeded",
    [
        "UPDATE customers SET last_contact = last_contact + 1 WHERE account = 0 AND created_at = 0",
        "DELETE FROM numbers WHERE account = 1 AND last_seen = 2",
        "INSERT INTO usage (account, period, used) VALUES (77, 7, 7)",
        "UPDATE variables SET position = 1 - position",
    ],
    ids=["changed", "missing", "too many", "exchanged"],
)
def test_a_target_that_is_not_equal_is_told(old: Store, new: Store, new_url: str, seeded: str) -> None:
    copying = begun(old, new)
    copying.copy()
    change(new_url, seeded)
    table = seeded.removeprefix("DELETE FROM ").removeprefix("INSERT INTO ").removeprefix("UPDATE ").split()[0]
    for what in (copying.verify, copying.finish):
        with pytest.raises(NotEqual, match=f"not equal: {table} "):
            what()
    contents.use(old, 1)  # it is the one in use, still


def test_a_change_that_was_not_noted_is_told(old: Store, old_url: str, new: Store) -> None:
    copying = begun(old, new)
    copying.copy()
    change(old_url, "DROP TRIGGER db_copy_changed_usage_update; UPDATE usage SET used = used + 1")
    with pytest.raises(NotEqual, match="usage"):
        copying.verify()


# From PostgreSQL


@pytest.mark.postgresql
def test_the_way_back_is_the_same_with_the_service_stopped(old: Store, new: Store, opened: Opens) -> None:
    copying = begun(old, new)
    copying.copy()
    copying.finish()
    back = opened(f"sqlite:///{old.name}.back")
    begun(new, back).copy()
    begun(new, back).finish()
    assert contents.everything(back) == contents.everything(old)


@pytest.mark.postgresql
def test_a_postgresql_source_that_was_written_meanwhile_is_told(new: Store, opened: Opens, old: Store) -> None:
    new.migrate()
    contents.fill(new)
    back = opened(f"sqlite:///{old.name}.back")
    copying = begun(new, back)
    copying.copy()
    copying.verify()
    contents.use(new, 1)
    with pytest.raises(NotEqual):
        begun(new, back).finish()
