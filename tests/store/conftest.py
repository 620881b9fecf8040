"""A store on a real database, with two organizations, opened under one key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.engine.model import Mode, Realm
from adapter.store import organizations
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests import databases

OLD_KEY = ("old", b"o" * 32)
NEW_KEY = ("new", b"n" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Only for tests marked `sqlite`."""
    return tmp_path / "calls.db"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return databases.url_in(tmp_path)


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([OLD_KEY])


@pytest.fixture
def store(url: str, keyring: Keyring) -> Iterator[Store]:
    databases.brought_up_to_date(url)
    store = open_store(url, keyring)
    yield store
    store.close()


@pytest.fixture
def realm(store: Store) -> Realm:
    return organizations.register(store, [("org", "ba_1"), ("other", "ba_2")])["org"].realm(Mode.PROD)


@pytest.fixture
def tx(store: Store, realm: Realm) -> Iterator[Transaction]:
    with store.begin(realm) as tx:
        yield tx
