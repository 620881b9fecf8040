"""Calls go on while the service is reloaded again and again, or asked for more than it can do.

python -m tests.endurance reloads --count 100
python -m tests.endurance overload --seconds 300
python -m tests.endurance reloads --count 20 --bug sockets_apart      # bugs made on purpose have to be found
python -m tests.endurance reloads --count 20 --bug ends_at_once
python -m tests.endurance overload --seconds 20 --bug serves_in_turn
"""

from __future__ import annotations

import argparse
import sys

from tests.endurance.overload import SERVES_IN_TURN, overload
from tests.endurance.reloads import SEEDED, reloads


def main() -> int:
    """0 when every call was answered as it should be, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.endurance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True, dest="what")
    reloading = kinds.add_parser("reloads")
    reloading.add_argument("--count", type=int, default=100)
    reloading.add_argument("--calls", type=float, default=30, help="a second")
    reloading.add_argument("--bug", choices=SEEDED)
    loading = kinds.add_parser("overload")
    loading.add_argument("--seconds", type=float, default=300)
    loading.add_argument("--times", type=float, default=5, help="as many requests as the service can do")
    loading.add_argument("--bug", choices=["serves_in_turn"])
    wanted = parser.parse_args()
    if wanted.what == "reloads":
        return reloads(wanted.count, wanted.calls, SEEDED.get(wanted.bug)).tell()
    return overload(wanted.seconds, wanted.times, SERVES_IN_TURN if wanted.bug else "tests.serving:build()").tell()


if __name__ == "__main__":
    sys.exit(main())
