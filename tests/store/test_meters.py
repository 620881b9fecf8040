"""The rate window and the month's usage."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.engine.limits import Window
from adapter.engine.model import Realm
from adapter.store import meters
from adapter.store.database import Store
from adapter.store.transaction import Transaction
from tests.examples import examples

# Every example has an organization of its own: the store is shared by all of them.
_FRESH = itertools.count(100)


def hits(tx: Transaction, *times: int, organization: int = 0) -> None:
    for at in times:
        meters.hit(tx, organization, at)


def test_an_empty_window_has_no_hits(tx: Transaction) -> None:
    assert meters.window(tx, 0, 0, 3) == Window(0, None, None)
    assert meters.newest_hit(tx, 0) is None


@pytest.mark.parametrize(
    ("since", "limit", "window"),
    [
        (9, 4, Window(3, 10, None)),
        (9, 3, Window(3, 10, 10)),
        (9, 2, Window(3, 10, 20)),
        (9, 1, Window(3, 10, 30)),
        (10, 2, Window(2, 20, 20)),
        (29, 1, Window(1, 30, 30)),
        (30, 1, Window(0, None, None)),
    ],
    ids=["one under", "at", "one over", "two over", "the oldest left", "only the newest", "all left"],
)
def test_a_window_counts_what_came_after_since(tx: Transaction, since: int, limit: int, window: Window) -> None:
    hits(tx, 10, 20, 30)
    assert meters.window(tx, 0, since, limit) == window


def test_organizations_of_one_account_have_windows_of_their_own(tx: Transaction) -> None:
    hits(tx, 10, 20)
    hits(tx, 15, organization=1)
    assert meters.window(tx, 1, 0, 9) == Window(1, 15, None)


def test_a_hit_in_the_past_counts_as_the_newest(tx: Transaction) -> None:
    hits(tx, 20, 10)
    assert (meters.newest_hit(tx, 0), meters.window(tx, 0, 19, 9)) == (20, Window(2, 20, None))


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(-3, 20), max_size=40), since=st.integers(0, 300), limit=st.integers(1, 10))
def test_the_window_is_what_counting_would_say(
    store: Store, realm: Realm, steps: list[int], since: int, limit: int
) -> None:
    organization, at = next(_FRESH), 100
    expected: list[int] = []
    with store.begin(realm) as tx:
        for step in steps:
            at = max(0, at + step)
            meters.hit(tx, organization, at)
            expected.append(max([at, *expected]))
        inside = [hit for hit in expected if hit > since]
        blocking = inside[len(inside) - limit] if len(inside) >= limit else None
        oldest = inside[0] if inside else None
        assert meters.window(tx, organization, since, limit) == Window(len(inside), oldest, blocking)


def test_usage_adds_up_per_period_and_account(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        assert meters.used(tx, 1000) == 0
        meters.charge(tx, 1000)
        meters.charge(tx, 1000, 4)
        meters.charge(tx, 2000)
    with store.begin(Realm(realm.account, realm.number + 1)) as tx:
        meters.charge(tx, 1000)
        assert (meters.used(tx, 1000), meters.used(tx, 2000)) == (6, 1)
    with store.read(Realm(realm.account + 1, 0)) as tx:
        assert meters.used(tx, 1000) == 0


def test_a_charge_vanishes_with_its_effect(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        meters.hit(tx, 0, 5)
        with suppress(ZeroDivisionError), tx.savepoint():
            meters.charge(tx, 1000)
            raise ZeroDivisionError
    with store.read(realm) as tx:
        assert (meters.used(tx, 1000), meters.newest_hit(tx, 0)) == (0, 5)
