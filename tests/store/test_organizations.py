"""Numbers of organizations and billing accounts."""

from __future__ import annotations

import pytest

from adapter.engine.model import Mode, Realm
from adapter.errors import StoreMismatch
from adapter.store import organizations
from adapter.store.database import Store
from adapter.store.organizations import Registered

PAIRS = [("a", "ba_1"), ("b", "ba_1"), ("c", "ba_2")]


def test_numbers_are_unique_within_an_account_and_stay(store: Store) -> None:
    first = organizations.register(store, PAIRS)
    assert first == {"a": Registered(0, 0), "b": Registered(0, 1), "c": Registered(1, 0)}
    assert organizations.register(store, [*reversed(PAIRS), ("d", "ba_2")]) == {**first, "d": Registered(1, 1)}


def test_an_organization_taken_out_keeps_its_number(store: Store) -> None:
    organizations.register(store, PAIRS)
    assert organizations.register(store, [("d", "ba_1")]) == {"d": Registered(0, 2)}
    assert organizations.register(store, [("a", "ba_1")]) == {"a": Registered(0, 0)}


def test_every_mode_has_a_realm_of_its_own(store: Store) -> None:
    organizations.register(store, PAIRS)
    assert Registered(3, 4).realm(Mode.PROD) == Realm(3, 8)
    assert Registered(3, 4).realm(Mode.TEST) == Realm(3, 9)
    assert set(organizations.realms(store)) == {
        Realm(0, 0),
        Realm(0, 1),
        Realm(0, 2),
        Realm(0, 3),
        *(Realm(1, 0), Realm(1, 1)),
    }


def test_moving_to_another_billing_account_is_refused(store: Store) -> None:
    organizations.register(store, PAIRS)
    with pytest.raises(StoreMismatch, match="ba_1 in the database, not ba_9"):
        organizations.register(store, [("a", "ba_9")])


@pytest.mark.sqlite
def test_knowing_everybody_takes_no_write_lock(store: Store) -> None:
    organizations.register(store, PAIRS)
    with store.lock.held():
        assert organizations.register(store, PAIRS)["c"] == Registered(1, 0)
