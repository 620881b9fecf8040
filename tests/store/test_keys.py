"""API keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.engine.model import Mode
from adapter.store import keys
from adapter.store.database import Store
from adapter.store.keys import KeyRecord

PEPPER = b"pepper"


@pytest.fixture
def issued(store: Store) -> tuple[str, KeyRecord]:
    return keys.issue(store, PEPPER, "org", Mode.TEST, "call center", 100)


@pytest.mark.parametrize("mode", Mode)
def test_a_key_tells_its_mode_and_carries_256_secret_bits(store: Store, mode: Mode) -> None:
    presented, record = keys.issue(store, PEPPER, "org", mode, "l", 100)
    assert re.fullmatch(rf"sk_{mode}_[a-z2-9]{{8}}[A-Za-z0-9_-]{{43}}", presented)
    assert presented.startswith(record.prefix)
    assert len(record.prefix) == len(f"sk_{mode}_") + 8


def test_the_right_key_is_found(store: Store, issued: tuple[str, KeyRecord]) -> None:
    presented, record = issued
    assert record == KeyRecord(record.prefix, "org", Mode.TEST, "call center", 100)
    assert keys.find(store, PEPPER, presented, 200) == record


def test_wrong_keys_are_all_alike(store: Store, issued: tuple[str, KeyRecord]) -> None:
    presented, record = issued
    last = "A" if presented[-1] != "A" else "B"
    wrong = ["", "é", record.prefix, presented[:-1] + last, presented + "A", presented[:-1], f" {presented}"]
    wrong += [presented.replace("sk_test_", "sk_prod_"), "sk_test_" + "a" * 51]
    assert [keys.find(store, PEPPER, key, 200) for key in wrong] == [None] * len(wrong)
    assert keys.find(store, b"other pepper", presented, 200) is None


def test_a_revoked_key_opens_nothing(store: Store, issued: tuple[str, KeyRecord]) -> None:
    presented, record = issued
    assert keys.revoke(store, record.prefix, 300)
    assert keys.find(store, PEPPER, presented, 300) is None
    assert [key.revoked_at for key in keys.all(store)] == [300]
    assert not keys.revoke(store, record.prefix, 400)
    assert not keys.revoke(store, "sk_test_unknown", 400)


@pytest.mark.parametrize(("now", "opens"), [(299, True), (300, False)])
def test_a_key_expires_at_its_millisecond(store: Store, issued: tuple[str, KeyRecord], now: int, opens: bool) -> None:
    presented, record = issued
    assert keys.expire(store, record.prefix, 300)
    assert (keys.find(store, PEPPER, presented, now) is not None) is opens
    assert not keys.expire(store, "sk_test_unknown", 300)


def test_all_keys_are_listed_oldest_first(store: Store, issued: tuple[str, KeyRecord]) -> None:
    _, newer = keys.issue(store, PEPPER, "org", Mode.PROD, "newer", 200)
    assert keys.all(store) == [issued[1], newer]


@pytest.mark.sqlite
def test_the_secret_is_not_in_the_database(store: Store, issued: tuple[str, KeyRecord], path: Path) -> None:
    store.truncate_log()
    assert issued[1].prefix.encode() in path.read_bytes()
    assert issued[0][-43:].encode() not in path.read_bytes()
