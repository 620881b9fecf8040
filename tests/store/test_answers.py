"""Kept answers."""

from __future__ import annotations

from uuid import UUID

import pytest

from adapter.engine.model import Realm
from adapter.store import answers
from adapter.store.answers import Kept
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.store.conftest import NEW_KEY, OLD_KEY

A = str(UUID(int=1))
BODY: dict[str, object] = {"z": 1, "a": {"nested": [1, "é", None]}}


@pytest.mark.parametrize(("now", "kept"), [(999, True), (1000, False), (1001, False)])
def test_an_answer_is_kept_until_it_expires(tx: Transaction, now: int, kept: bool) -> None:
    answers.keep(tx, "end", "key-1", "f", BODY, A, 1000)
    assert answers.find(tx, "end", "key-1", now) == (Kept("f", BODY) if kept else None)


def test_a_body_keeps_the_order_of_its_fields(tx: Transaction) -> None:
    answers.keep(tx, "end", "key-1", "f", BODY, A, 1000)
    kept = answers.find(tx, "end", "key-1", 0)
    assert kept is not None
    assert list(kept.body) == ["z", "a"]


def test_scopes_keys_and_realms_are_apart(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        answers.keep(tx, "end", "key-1", "f", BODY, A, 1000)
        assert answers.find(tx, "voice", "key-1", 0) is None
        assert answers.find(tx, "end", "key-2", 0) is None
    with store.read(Realm(realm.account, realm.number + 1)) as tx:
        assert answers.find(tx, "end", "key-1", 0) is None


def test_an_expired_answer_gives_way_to_a_new_one(tx: Transaction) -> None:
    answers.keep(tx, "end", "key-1", "f", BODY, A, 1000)
    answers.keep(tx, "end", "key-1", "g", {}, A, 3000)
    assert answers.find(tx, "end", "key-1", 2000) == Kept("g", {})


def test_answers_are_found_while_keys_change(store: Store, realm: Realm, url: str) -> None:
    with store.begin(realm) as tx:
        answers.keep(tx, "end", "key-1", "f", BODY, A, 1000)
    rotated = open_store(url, Keyring([NEW_KEY, OLD_KEY]))
    with rotated.read(realm) as tx:
        assert answers.find(tx, "end", "key-1", 0) == Kept("f", BODY)
    rotated.close()
