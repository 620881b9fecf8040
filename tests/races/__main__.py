"""`python -m tests.races --rounds N`: every race N times, then the Free tier's real minute."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import databases
from tests.races.arena import Arena, arena
from tests.races.rates import FREE_TIER, TINY_TIER, never_too_many, revoked_everywhere
from tests.races.scenarios import SCENARIOS

_ROUNDS_A_SERVER = 50
_MINUTE_SECONDS = 70.0


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often every race is run")
    parser.add_argument("--minutes", type=int, default=1, help="how often the Free tier is hammered for 70 seconds")
    parser.add_argument("--store", choices=databases.STORES, default="sqlite", help="postgresql: two nodes")
    parser.add_argument("--bug", action="store_true", help="run a server that reads stale values")
    asked = parser.parse_args()
    databases.kind = asked.store
    app = "tests.races.seeded:build()" if asked.bug else "tests.serving:build()"
    found = 0
    for first in range(0, asked.rounds, _ROUNDS_A_SERVER):
        found += _rounds(app, first, min(_ROUNDS_A_SERVER, asked.rounds - first))
    for minute in range(asked.minutes):
        found += _minute(app, minute)
    print(f"{found} faults")
    return 1 if found else 0


def _rounds(app: str, first: int, rounds: int) -> int:
    found, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, arena(Path(folder), rounds, app=app, **_place()) as running:
        for place in range(rounds):
            races = [(scenario.__name__, scenario) for scenario in (*SCENARIOS, revoked_everywhere)]
            found += sum(_tell(name, first + place, race, running, place) for name, race in races)
            found += _tell("tiny tier", first + place, _tiny, running, place)
            passed = time.monotonic() - began
            print(f"round {first + place + 1}: {running.racers.sent} requests, {passed:.0f} s", flush=True)
    return found


def _place() -> dict[str, Any]:
    """On PostgreSQL: two nodes."""
    return {"database_url": databases.postgresql.bare(), "nodes": 2} if databases.kind == "postgresql" else {}


def _tiny(running: Arena, place: int) -> list[str]:
    return never_too_many(running, TINY_TIER, 3)


def _minute(app: str, minute: int) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        arena(Path(folder), app=app, window=FREE_TIER.window_seconds, **_place()) as running,
    ):
        print(f"the Free tier for {_MINUTE_SECONDS:.0f} s …", flush=True)
        found = _tell("free tier", minute, _free, running, minute)
        print(f"{running.racers.sent} requests", flush=True)
        return found


def _free(running: Arena, place: int) -> list[str]:
    return never_too_many(running, FREE_TIER, _MINUTE_SECONDS)


def _tell(name: str, place: int, race: Callable[[Arena, int], list[str]], running: Arena, at: int) -> int:
    faults = race(running, at)
    for fault in faults:
        print(f"round {place + 1}, {name}: {fault}", flush=True)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
