"""Wrong answers are counted, found under every key, and go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter.engine.lockout import WrongAnswers
from adapter.engine.model import Realm
from adapter.engine.policy import RetentionPolicy
from adapter.store import lockouts, records
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sweep import Swept, sweep
from adapter.store.transaction import Transaction
from tests.store import people
from tests.store.conftest import NEW_KEY, OLD_KEY
from tests.store.people import ANI, A, B

TWO = WrongAnswers(2, 500)


def number(tx: Transaction) -> tuple[bytes, ...]:
    return lockouts.tokens_of_number(tx, ANI)


def customer(tx: Transaction) -> tuple[bytes, ...]:
    return lockouts.tokens_of_customer(tx, A)


@pytest.mark.parametrize("tokens", [number, customer])
def test_what_was_counted_is_found_until_it_is_forgotten(
    tx: Transaction, tokens: Callable[[Transaction], tuple[bytes, ...]]
) -> None:
    assert lockouts.find(tx, tokens(tx)) is None
    lockouts.save(tx, tokens(tx), WrongAnswers(1, 400))
    lockouts.save(tx, tokens(tx), TWO)
    assert lockouts.find(tx, tokens(tx)) == TWO
    lockouts.forget(tx, tokens(tx))
    assert lockouts.find(tx, tokens(tx)) is None


def test_numbers_customers_and_realms_are_apart(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        lockouts.save(tx, number(tx), TWO)
        assert lockouts.find(tx, customer(tx)) is None
        assert lockouts.find(tx, lockouts.tokens_of_number(tx, "+14155550124")) is None
    with store.read(Realm(realm.account, realm.number + 1)) as tx:
        assert lockouts.find(tx, number(tx)) is None


def test_a_count_goes_on_while_keys_change(store: Store, realm: Realm, url: str) -> None:
    with store.begin(realm) as tx:
        lockouts.save(tx, number(tx), WrongAnswers(1, 500))
    rotated = open_store(url, Keyring([NEW_KEY, OLD_KEY]))
    with rotated.begin(realm) as tx:
        assert lockouts.find(tx, number(tx)) == WrongAnswers(1, 500)
        lockouts.save(tx, number(tx), TWO)
        assert lockouts.find(tx, number(tx)) == TWO
    rotated.close()
    renewed = open_store(url, Keyring([NEW_KEY]))
    with renewed.read(realm) as tx:
        assert lockouts.find(tx, number(tx)) == TWO
    renewed.close()
    with store.read(realm) as tx:
        assert lockouts.find(tx, number(tx)) is None


@pytest.mark.parametrize(("now", "gone"), [(499, 0), (500, 1)])
def test_a_count_that_is_over_is_swept(store: Store, realm: Realm, now: int, gone: int) -> None:
    with store.begin(realm) as tx:
        lockouts.save(tx, number(tx), TWO)
    assert sweep(store, now, RetentionPolicy()) == Swept(lockouts=gone, log_truncated=True)
    with store.read(realm) as tx:
        assert (lockouts.find(tx, number(tx)) is None) is bool(gone)


@pytest.mark.parametrize("shared", [False, True])
def test_an_erasure_forgets_the_count_of_the_customer_and_of_a_number_that_is_nobody_elses(
    tx: Transaction, shared: bool
) -> None:
    people.remember(tx)
    if shared:
        people.remember(tx, B, "CA2")
    lockouts.save(tx, number(tx), TWO)
    lockouts.save(tx, customer(tx), TWO)
    records.erase(tx, A, 300)
    assert lockouts.find(tx, customer(tx)) is None
    assert (lockouts.find(tx, number(tx)) is None) is not shared
