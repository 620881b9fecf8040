"""Rate windows of many machines: one clock, whose steps nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import sqlalchemy as sa

from adapter.engine.model import Realm
from adapter.store import meters
from adapter.store.database import Store
from adapter.store.postgres import batches
from adapter.store.postgres import clock as postgres_clock
from adapter.store.postgres.clock import SteadyTime
from adapter.store.statements import Prepared, bind
from adapter.store.tables import clocks
from adapter.store.transaction import NO_REALM

pytestmark = pytest.mark.postgresql
HERE = Realm(0, 0)
HOUR = 3_600_000


class Clocks:
    """The database's wall clock and this machine's ticks, told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch, self._ticks = monkeypatch, 0
        self.wall = 0
        monkeypatch.setattr(batches, "ticks", lambda: self._ticks)
        self.pass_by(0)
        self.set(1_000 * HOUR)

    def pass_by(self, ms: int) -> None:
        self._ticks += ms
        self.set(self.wall + ms)

    def set(self, wall: int) -> None:
        self.wall = wall
        told = sa.select(sa.literal(wall, sa.BigInteger()), clocks.c.offset_ms)
        self._patch.setattr(postgres_clock, "_READ", Prepared(told.where(clocks.c.boot_id == bind("boot_id"))))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def node(store: Store, told: Clocks) -> Callable[[], SteadyTime]:
    """Another process that comes up."""

    def come_up() -> SteadyTime:
        node = SteadyTime()
        store.transact(NO_REALM, node.begin)
        return node

    return come_up


def steady(store: Store, node: SteadyTime, realm: Realm = HERE) -> int:
    return store.transact(realm, lambda tx: node.read(tx, tx.dated))


def test_without_steps_it_is_the_databases_clock(store: Store, told: Clocks, node: Callable[[], SteadyTime]) -> None:
    one, other = node(), node()
    for ms in (0, 1, 70_000, 30 * HOUR):
        told.pass_by(ms)
        assert steady(store, one) == steady(store, other) == told.wall


@pytest.mark.parametrize("step", [-HOUR, HOUR, 51, -51])
def test_a_step_is_seen_by_one_and_felt_by_nobody(
    store: Store, told: Clocks, node: Callable[[], SteadyTime], step: int
) -> None:
    one, other = node(), node()
    before = steady(store, one), steady(store, other)
    told.set(told.wall + step)
    told.pass_by(20)
    first = steady(store, one)
    late = node()
    assert {first, steady(store, other), steady(store, late), steady(store, one)} == {before[0] + 20}
    told.pass_by(1_000)
    assert {steady(store, each) for each in (one, other, late)} == {before[0] + 1_020}


@pytest.mark.parametrize("steps", [(HOUR, HOUR), (-HOUR, -HOUR), (HOUR, -2 * HOUR)])
def test_nor_are_steps_in_a_row(
    store: Store, told: Clocks, node: Callable[[], SteadyTime], steps: tuple[int, int]
) -> None:
    one = node()
    before = steady(store, one)
    for step in steps:
        told.set(told.wall + step)
        assert steady(store, one) == before


def test_nobody_jumps_ahead_after_a_correction_of_somebody_elses(
    store: Store, told: Clocks, node: Callable[[], SteadyTime]
) -> None:
    one, other = node(), node()
    before = steady(store, one), steady(store, other)
    told.set(told.wall + HOUR)
    steady(store, other)
    told.set(told.wall + HOUR)
    assert {steady(store, one), steady(store, other)} == {before[0]}


@pytest.mark.parametrize("drift", [-50, 50, -100, 100])
def test_a_slewed_clock_has_not_stepped(store: Store, told: Clocks, node: Callable[[], SteadyTime], drift: int) -> None:
    one = node()
    steady(store, one)
    told.pass_by(50_000)
    told.set(told.wall + drift)
    assert steady(store, one) == told.wall


@pytest.mark.parametrize("step", [HOUR, -HOUR])
@pytest.mark.parametrize("readings", [1, 2], ids=["one job", "two jobs of a round"])
def test_a_correction_that_was_rolled_back_is_made_again(
    store: Store, told: Clocks, node: Callable[[], SteadyTime], readings: int, step: int
) -> None:
    one = node()
    before = steady(store, one)
    told.set(told.wall + step)
    with suppress(ZeroDivisionError), store.begin(HERE) as tx:
        assert [one.read(tx, tx.dated) for _ in range(readings)] == [before] * readings
        raise ZeroDivisionError
    assert [steady(store, one), steady(store, one)] == [before, before]


def test_a_node_that_comes_up_after_a_step_back_is_not_behind_the_newest_hit(
    store: Store, realm: Realm, told: Clocks, node: Callable[[], SteadyTime]
) -> None:
    store.transact(realm, lambda tx: meters.hit(tx, 0, told.wall))
    told.set(told.wall - HOUR)
    assert steady(store, node()) == told.wall + HOUR


def test_from_then_on_transactions_tell_the_databases_time(store: Store, told: Clocks) -> None:
    with store.begin(HERE) as tx:
        assert tx.steady(5) == 5
    store.steady_offset("boot", ticks=1, wall=2)
    with store.begin(HERE) as tx:
        assert tx.steady(5) == told.wall


def test_the_real_clock_runs(store: Store) -> None:
    store.steady_offset("boot", ticks=1, wall=2)
    seen = []
    for _ in range(20):
        with store.begin(HERE) as tx:
            seen.append(tx.steady(5))
    assert seen == sorted(seen)
    assert 0 <= seen[-1] - seen[0] < 60_000
