"""API keys."""

from __future__ import annotations

import hmac
import itertools
import re
from pathlib import Path

import pytest

from adapter.engine.model import Mode
from adapter.errors import StoreUnavailable
from adapter.store import keys
from adapter.store.database import Store
from adapter.store.keys import KeyRecord
from adapter.store.transaction import NO_REALM

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
    named = keys.pepper_id(PEPPER)
    assert record == KeyRecord(record.prefix, "org", Mode.TEST, "call center", 100, pepper=named)
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


def test_a_key_under_a_former_pepper_opens_and_is_brought_under_the_new_one(
    store: Store, issued: tuple[str, KeyRecord]
) -> None:
    presented, record = issued
    new = b"another pepper"
    assert keys.find(store, new, presented, 200) is None
    assert keys.find(store, new, presented, 200, (b"x", PEPPER)) == record
    assert [each.pepper for each in keys.all(store)] == [keys.pepper_id(new)]
    assert keys.find(store, new, presented, 200) is not None
    assert keys.find(store, PEPPER, presented, 200) is None


def test_of_two_machines_one_may_be_a_step_ahead_of_the_other(store: Store, issued: tuple[str, KeyRecord]) -> None:
    """As README has the steps: behind the old one, before it, out."""
    new = b"the next pepper"
    steps: list[tuple[bytes, tuple[bytes, ...]]] = [(PEPPER, ()), (PEPPER, (new,)), (new, (PEPPER,)), (new, ())]
    for both in itertools.pairwise(steps):
        for pepper, former in (*both, *both):
            assert keys.find(store, pepper, issued[0], 200, former) is not None
    assert keys.find(store, PEPPER, issued[0], 200) is None, "who has not come so far would turn clients away"


def test_a_wrong_or_revoked_key_is_brought_under_nothing(store: Store, issued: tuple[str, KeyRecord]) -> None:
    presented, record = issued
    keys.find(store, b"another pepper", presented[:-2] + "AA", 200, (PEPPER,))
    keys.revoke(store, record.prefix, 150)
    assert keys.find(store, b"another pepper", presented, 200, (PEPPER,)) is None
    assert [each.pepper for each in keys.all(store)] == [record.pepper]


def test_a_key_of_the_version_before_opens_and_is_noted(store: Store, issued: tuple[str, KeyRecord], url: str) -> None:
    presented, record = issued
    store.transact(
        NO_REALM, lambda tx: tx.execute(keys._REHASH, {"of_prefix": record.prefix, "new": old_hash(presented)})
    )
    assert [each.pepper for each in keys.all(store)] == [""]
    found = keys.find(store, PEPPER, presented, 200)
    assert found is not None
    assert [each.pepper for each in keys.all(store)] == [record.pepper]


def test_a_database_that_cannot_be_written_does_not_turn_a_former_key_away(
    store: Store, issued: tuple[str, KeyRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(store, "transact", away)
    assert keys.find(store, b"another pepper", issued[0], 200, (PEPPER,)) is not None


def old_hash(presented: str) -> bytes:
    return hmac.digest(PEPPER, presented.encode(), "sha256")
