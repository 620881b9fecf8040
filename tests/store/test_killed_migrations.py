"""A migration killed before any of its statements leaves the old schema, and runs to its end the next time."""

from __future__ import annotations

import os
import signal
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapter.store import schema
from adapter.store.opening import open_store
from adapter.store.postgres import schema as postgres_schema
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore
from tests import databases

pytestmark = [pytest.mark.slow, pytest.mark.stores]
_MOST_STATEMENTS = 300


def killed_at(url: str, nth: int) -> bool:
    """Migrate in a forked process that is killed as it is about to give its nth statement; False: it got through."""
    child = os.fork()
    if child == 0:
        try:
            _migrate_until(url, nth)
        except BaseException:  # noqa: BLE001 - the tests would go on in the child
            traceback.print_exc()
            os._exit(1)
        os._exit(0)  # nothing of the parent's is to be tidied up here
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == signal.SIGKILL


def _migrate_until(url: str, nth: int) -> None:
    left = [nth]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    # The commit is one of them: it is killed before it, which is the latest moment at which nothing may be left.
    for event in ("before_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, event, count)
    open_store(url, Keyring()).migrate()


def fresh(tmp_path: Path) -> str:
    return databases.postgresql.bare() if databases.kind == "postgresql" else f"sqlite:///{tmp_path}/killed.db"


def at_first_version(url: str) -> None:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        schema.run_steps(connection, "0001")
    engine.dispose()


def revision(url: str) -> str | None:
    store = open_store(url, Keyring())
    try:
        if isinstance(store, SqliteStore):
            with store.connections.reader() as connection:
                return schema.current(connection)
        with store.connections.alone(autocommit=True) as connection:
            return postgres_schema.current(connection)
    finally:
        store.close()


@pytest.mark.parametrize("begins_at", [None, "0001"], ids=["new", "first-version"])
def test_killed_at_every_statement_it_leaves_the_old_schema_and_goes_through_in_the_end(
    begins_at: str | None, tmp_path: Path
) -> None:
    url = fresh(tmp_path)
    if begins_at:
        at_first_version(url)
    killed = 0
    # Each run is also the one that comes after a kill.
    while killed_at(url, killed + 1):
        killed += 1
        assert revision(url) == begins_at
        assert killed < _MOST_STATEMENTS
    assert killed > (3 if begins_at else 20)
    store = open_store(url, Keyring())
    assert store.schema_problems() == []
    store.migrate()
    store.close()
