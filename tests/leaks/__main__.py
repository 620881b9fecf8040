"""Requests full of marked personal data: is a mark in a log, an error, a recording, a backup or the database's files?

python -m tests.leaks --requests 100000 --seed 1
python -m tests.leaks --requests 2000 --seeded       # leaks made on purpose have to be found
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.leaks.marks import LEAKS_INTO, Seeded, forgotten, found, world


def main() -> int:
    """0 when there is no mark anywhere (with --seeded: when each leak was found)."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeded", action="store_true", help="with each of the leaks made on purpose")
    wanted = parser.parse_args()
    if wanted.seeded:
        return max(_seeded(leak, wanted.requests, wanted.seed) for leak in Seeded)
    with tempfile.TemporaryDirectory(prefix="sticky-leaks-") as folder:
        return _clean(Path(folder), wanted.requests, wanted.seed)


def _clean(folder: Path, requests: int, seed: int) -> int:
    began = time.monotonic()
    with world(folder, seed) as here:
        while here.sent < requests:
            here.send(min(10_000, requests - here.sent))
            print(f"{here.sent} requests in {time.monotonic() - began:.0f} s", flush=True)
        places, left = found(here), forgotten(here)
    for place, marks in places.items():
        print(f"{place}: {len(marks)} marks {' '.join(marks)}")
    print(f"{len(here.refs)} customers erased: {left}")
    return 1 if any(places.values()) or any(left.values()) else 0


def _seeded(leak: Seeded, requests: int, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="sticky-leaks-") as folder, world(Path(folder), seed, seeded=leak) as here:
        here.send(requests)
        places = {place for place, marks in found(here).items() if marks}
        left = forgotten(here) if leak is Seeded.PLAIN else {}
    caught = places == LEAKS_INTO[leak] and not left.get("after compact")
    print(f"{leak.value}: found in {', '.join(sorted(places)) or 'nothing'} {left or ''}")
    return 0 if caught else 1


if __name__ == "__main__":
    sys.exit(main())
