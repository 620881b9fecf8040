"""Killed, failing and full disks, at every call that is made to them:

python -m tests.faults kill                          # kill -9 before every write, sync, truncation and deletion
python -m tests.faults fail                          # EIO and ENOSPC in their place
python -m tests.faults kill --bug charges_apart      # bugs made on purpose have to be found
python -m tests.faults kill --bug keeps_without_writing
python -m tests.faults fail --bug takes_errors_for_success
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.failing import fail_everywhere
from tests.faults.killing import kill_everywhere
from tests.faults.seeded import SEEDED


def main() -> int:
    """0 when nothing was lost, torn or answered wrongly, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("how", choices=["kill", "fail"])
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth call to the disk")
    parser.add_argument("--bug", choices=sorted(SEEDED))
    wanted = parser.parse_args()
    logging.disable(logging.CRITICAL)  # it is told some hundred times that the disk is broken
    bug, began = SEEDED.get(wanted.bug), time.monotonic()
    points, refused, wrong = _kill(wanted.every, bug) if wanted.how == "kill" else _fail(wanted.every, bug)
    for name, number in points.items():
        print(f"{number:5} {name}")
    for sentence in wrong[:20]:
        print(sentence)
    seconds = time.monotonic() - began
    print(f"{sum(points.values())} faults in {seconds:.0f} s{refused}: {len(wrong)} wrong", flush=True)
    return 1 if wrong else 0


def _kill(every: int, bug: object) -> tuple[dict[str, int], str, list[str]]:
    killed = kill_everywhere(every, bug)  # type: ignore[arg-type]
    return killed.points, "", killed.wrong


def _fail(every: int, bug: object) -> tuple[dict[str, int], str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        failed = fail_everywhere(Path(folder), every, bug)  # type: ignore[arg-type]
    return failed.points, f", {failed.refused} answers said so", failed.wrong


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Python's own end would call the file system in between when it is gone already.
    os._exit(status)
