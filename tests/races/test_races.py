"""Races over HTTP, short: 4 workers with 16 threads each, 8 client processes. `python -m tests.races`: long.

On PostgreSQL the workers are those of two nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests import databases
from tests.races.arena import Arena, arena
from tests.races.rates import TINY_TIER, never_too_many, revoked_everywhere
from tests.races.scenarios import SCENARIOS

pytestmark = pytest.mark.slow
# All requests of a small race may by chance meet the same worker.
_CHANCES = 3
Race = Callable[[Arena, int], list[str]]
each_race = pytest.mark.parametrize("race", [*SCENARIOS, revoked_everywhere], ids=lambda race: race.__name__)


@pytest.fixture(scope="module", params=databases.STORES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    on_postgresql = request.param == "postgresql"
    url, nodes = (databases.postgresql.bare(), 2) if on_postgresql else (None, 1)
    with arena(tmp_path_factory.mktemp("races"), database_url=url, nodes=nodes) as found:
        yield found


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with arena(tmp_path_factory.mktemp("stale"), app="tests.races.seeded:build()") as found:
        yield found


@each_race
def test_what_all_do_at_once_comes_out_as_if_one_after_the_other(running: Arena, race: Race) -> None:
    assert race(running, 0) == []


def test_no_window_ever_holds_more_than_the_hard_limit(running: Arena) -> None:
    assert never_too_many(running, TINY_TIER, 3) == []


def test_all_workers_took_part(running: Arena) -> None:
    """Else the races above were races between threads."""
    assert len(running.racers.workers) == running.workers


@each_race
def test_a_server_that_reads_stale_values_is_found_out(stale: Arena, race: Race) -> None:
    """The positive control of every race."""
    assert any(race(stale, 0) for _ in range(_CHANCES))


def test_a_server_with_a_stale_window_is_found_out(stale: Arena) -> None:
    faults = itertools.chain.from_iterable(never_too_many(stale, TINY_TIER, 2) for _ in range(_CHANCES))
    assert any("admitted within" in fault for fault in faults)
