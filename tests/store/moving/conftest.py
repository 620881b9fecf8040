"""A SQLite database with something in every table, and an empty one of either kind beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from adapter.store import schema
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from tests import databases
from tests.store.moving import contents

Opens = Callable[[str], Store]


@pytest.fixture
def opened() -> Iterator[Opens]:
    """Opens stores that are closed after the test."""
    with ExitStack() as around:

        def at(url: str) -> Store:
            store = open_store(url, Keyring(), lock_timeout_seconds=5.0)
            around.callback(store.close)
            return store

        yield at


@pytest.fixture
def old_url(tmp_path: Path) -> str:
    """A SQLite database in use."""
    return a_database_in_use(tmp_path / "old.db")


def a_database_in_use(path: Path) -> str:
    """Two organizations' data of three customers each, and one who was erased."""
    url = f"sqlite:///{path}"
    databases.brought_up_to_date(url)
    store = open_store(url, Keyring())
    contents.fill(store)
    store.close()
    return url


@pytest.fixture
def old(opened: Opens, old_url: str) -> Store:
    return opened(old_url)


@pytest.fixture
def new_url(url: str) -> Iterator[str]:
    """The target: an empty database, which the next test gets in order, whatever was left half done in it."""
    yield url
    if url.startswith("postgresql:"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS db_copy_progress")
            connection.execute("UPDATE alembic_version SET version_num = %s", [schema.head()])


@pytest.fixture
def new(opened: Opens, new_url: str) -> Store:
    return opened(new_url)
