"""The store is away under calls: every caller hears something within two seconds, and nothing they did is lost.

python -m tests.outage moved                      # or locked, full (root), stopped, frozen (PostgreSQL)
python -m tests.outage locked --bug waits         # bugs made on purpose have to be found
"""

from __future__ import annotations

import argparse
import sys

from tests.outage.away import WAYS
from tests.outage.drill import drill
from tests.outage.seeded import SEEDED


def main() -> int:
    """0 when callers and what they did were well, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.outage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=float, default=50, help="a second")
    parser.add_argument("--bug", choices=SEEDED)
    wanted = parser.parse_args()
    app = f"tests.outage.seeded:{wanted.bug}()" if wanted.bug else "tests.serving:build()"
    return drill(WAYS[wanted.way], wanted.seconds, wanted.calls, app).tell()


if __name__ == "__main__":
    sys.exit(main())
