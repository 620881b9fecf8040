"""A recorded day, made and played again on a store of its own: the same to the byte, and much faster than it was.

python -m tests.replay --calls 1000 --seed 1 --store postgresql
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import databases
from tests.replay.day import Day, a_day
from tests.replay.two_stores import replayed, replayed_on

_TIMES_FASTER = 200


def main() -> int:
    """0 when every answer was the recorded one to the byte, at least 200 times faster than it was recorded."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=databases.STORES, default="sqlite", help="postgresql: and there once more")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        day = a_day(Path(folder), wanted.calls, wanted.seed)
        size = day.recording.stat().st_size / 1e6
        print(f"{wanted.calls} calls, {day.webhooks} webhooks, {size:.1f} MB in {time.monotonic() - began:.0f} s")
        command = ["-m", "adapter", "replay", str(day.recording), "--fresh", "--config", str(day.config), "--json"]
        if wanted.store == "postgresql" and not _same_on_postgresql(day, Path(folder)):
            return 1
        done = subprocess.run(
            [sys.executable, *command, "--memory", str(day.memory)], capture_output=True, text=True, check=False
        )
    print(done.stderr, end="")
    found = json.loads(done.stdout)
    faster = found["recorded_seconds"] / found["seconds"]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_024
    print(f"{found['same_bytes']} answers the same to the byte, {found['different']} different,", end=" ")
    print(f"{found['seconds']:.0f} s: {faster:,.0f} times faster; at most {most:.0f} MB")
    print(json.dumps(found["differences"][:5], indent=1) if found["differences"] else "no differences")
    return 0 if found["same_bytes"] == day.webhooks and faster >= _TIMES_FASTER else 1


def _same_on_postgresql(day: Day, folder: Path) -> bool:
    """Whether every answer is there what it is on SQLite."""
    here = replayed(day, "--memory", str(day.memory))
    there = replayed_on(databases.postgresql.bare(), day, folder)
    print(f"PostgreSQL: {there['same_bytes']} answers the same to the byte, {there['different']} different", end="; ")
    print("as on SQLite" if there == here else f"SQLite: {here['same_bytes']}, {here['different']}")
    return there == here


if __name__ == "__main__":
    sys.exit(main())
