"""`python -m tests.crash --kills N`: a long crash storm. `--bug` shows that it finds one."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests import databases
from tests.crash.judge import judge
from tests.crash.storm import Storm, a_server_that_writes, answers_again, mixed, rage, stop, weather

_KILLS_A_DATABASE = 200
_TELL_EVERY = 10
_LATE = "commits_late"
_BUGS = (_LATE, "charges_late", "keeps_answers_late")
# The same bug in PostgreSQL's own words: it answers first and writes a little later.
_LATE_POSTGRESQL = ("synchronous_commit=off", "wal_writer_delay=100ms")


def main() -> int:
    """0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="chooses who is killed")
    parser.add_argument(
        "--store",
        choices=databases.STORES,
        default="sqlite",
        help="postgresql: two nodes; every third kill hits it",
    )
    parser.add_argument("--bug", choices=_BUGS, help="run a server that has this bug")
    asked = parser.parse_args()
    late = asked.bug == _LATE and asked.store == "postgresql"
    app = f"tests.crash.seeded:{asked.bug}()" if asked.bug and not late else "tests.serving:build()"
    found = 0
    for first in range(0, asked.kills, _KILLS_A_DATABASE):
        kills = min(_KILLS_A_DATABASE, asked.kills - first)
        found += _storm(app, kills, asked.seed + first, asked.store, _LATE_POSTGRESQL if late else ())
    print(f"{found} faults (seed {asked.seed})")
    return 1 if found else 0


def _storm(app: str, kills: int, seed: int, store: str, settings: Sequence[str]) -> int:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        database = opened.enter_context(a_server_that_writes(*settings)) if store == "postgresql" else None
        url = database.url("postgres") if database else None
        nodes = opened.enter_context(weather(folder, app, url, nodes=2 if database else 1))
        storm = rage(nodes, mixed(kills, seed, database), seed, _progress())
        stop(nodes)
        server = nodes[0]
        verdict = judge(server.service, server.database_url, storm.ledger)
        server.start()
        faults = [*verdict.faults, *storm.late(), *answers_again(server)]
    print(
        f"{storm.figures}, {verdict.resolved} of these had happened; {verdict.effects} found{storm.waits}", flush=True
    )
    for fault in faults[:50]:
        print(fault)
    return len(faults)


def _progress() -> Callable[[Storm], None]:
    began, count = time.monotonic(), itertools.count(1)

    def tell(storm: Storm) -> None:
        if next(count) % _TELL_EVERY == 0:
            print(f"{time.monotonic() - began:.0f} s: {storm.figures}", flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
