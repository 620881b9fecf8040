"""What strangers and neighbours can do to the service, at length. Exit code 0: nothing was found.

python -m tests.abuse requests --count 1000000      random requests, in process
python -m tests.abuse sockets --count 100000        bytes that are no HTTP, halves of requests, against a real server
python -m tests.abuse signatures --count 100000     genuine webhooks, changed
python -m tests.abuse realms --count 100000         what is another organization's, or of the other mode
python -m tests.abuse rates --count 1000            random schedules against the rate window, clocks that are set
python -m tests.abuse histories --count 10000       concurrent starts and ends: could it have been one after the other?
python -m tests.abuse fairness --count 10           ten seconds of each kind of flood, next to somebody else's calls
python -m tests.abuse slow --count 1000             slow connections through the shipped nginx, next to good calls
python -m tests.abuse slow-caddy --count 1000       the same through the shipped Caddy
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests import databases
from tests.abuse import fairness, fuzz, histories, portions, rates, realms, signatures, slow, sockets
from tests.abuse.findings import Findings

# What one process does at a time: a fault can be had again with its seed.
_PORTION = 25_000
# These start processes of their own.
_WITH_PROCESSES: Final[Mapping[str, Callable[..., Findings]]] = {
    "sockets": sockets.examine,
    "rates": rates.examine,
    "histories": histories.examine,
    "fairness": lambda count, _, store, bug: fairness.examine(count, store, bug),
    "slow": lambda count, _, __, bug: slow.examine(count, bug=bug),
    "slow-caddy": lambda count, _, __, bug: slow.examine(count, bug=bug, proxy="caddy"),
}
_BUGS: Final[Mapping[str, tuple[str, ...]]] = {
    "requests": tuple(fuzz.BUGS),
    "sockets": ("any",),
    "signatures": tuple(signatures.BUGS),
    "realms": tuple(realms.BUGS),
    "rates": ("any",),
    "histories": ("any",),
    "fairness": ("any",),
    "slow": ("any",),
    "slow-caddy": ("any",),
}


def main() -> int:
    """0 when nothing was found; 1 with one example of each fault."""
    wanted = _arguments()
    began, findings = time.monotonic(), Findings()
    for found in _found(wanted):
        findings.add(found)
        passed = time.monotonic() - began
        print(f"{findings.tried} tried in {passed:.0f} s, {len(findings.faults)} kinds of fault", flush=True)
    print(f"answers: {dict(sorted(findings.answers.items()))}")
    print(f"told: {dict(sorted(findings.told.items()))}")
    for kind, shown in findings.faults.items():
        print(f"\nFAULT {kind}\n  {shown}")
    return 1 if findings.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.abuse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("attack", choices=_BUGS)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=databases.STORES, default="sqlite")
    parser.add_argument("--processes", type=int, default=2)
    planted = "; ".join(f"{attack}: {', '.join(bugs)}" for attack, bugs in _BUGS.items())
    parser.add_argument("--bug", help=f"plant one, which has to be found ({planted})")
    wanted = parser.parse_args()
    if wanted.bug is not None and wanted.bug not in _BUGS[wanted.attack]:
        parser.error(f"--bug is one of {', '.join(_BUGS[wanted.attack])}")
    return wanted


def _found(wanted: argparse.Namespace) -> Iterator[Findings]:
    if wanted.attack in _WITH_PROCESSES:
        yield _WITH_PROCESSES[wanted.attack](wanted.count, wanted.seed, wanted.store, wanted.bug is not None)
        return
    sizes = [min(_PORTION, wanted.count - first) for first in range(0, wanted.count, _PORTION)]
    tasks = [
        portions.Portion(wanted.attack, size, wanted.seed + at, wanted.store, wanted.bug)
        for at, size in enumerate(sizes)
    ]
    with multiprocessing.get_context("spawn").Pool(wanted.processes) as pool:
        yield from pool.imap_unordered(portions.examine, tasks)


if __name__ == "__main__":
    sys.exit(main())
