"""Power cuts on a simulated disk: nothing that was answered may be lost, and nothing be broken.

python -m tests.powercut --cuts 10000
python -m tests.powercut --cuts 2000 --synchronous NORMAL     # durability turned down: has to find losses
python -m tests.powercut --cuts 2000 --inbox-not-synced       # the same of what waits for the database
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.powercut.cuts import Findings, cut
from tests.powercut.recording import record


def main() -> int:
    """0 when nothing was lost or broken, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.powercut", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=100, help="by each way in the recording that is cut")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL", "OFF"], default="FULL")
    parser.add_argument("--inbox-not-synced", action="store_true")
    wanted = parser.parse_args()
    began, findings = time.monotonic(), Findings()
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory(dir=_memory()) as folder:
        recording = record(Path(work), wanted.calls, wanted.synchronous, not wanted.inbox_not_synced)
        print(f"{len(recording.events)} calls to the disk and answers are cut", flush=True)
        for findings in cut(recording, wanted.cuts, wanted.seed, Path(folder) / "files"):
            seconds = time.monotonic() - began
            print(
                f"{findings.cuts} cuts in {seconds:.0f} s: {findings.lost} lost, {findings.broken} broken", flush=True
            )
    for example in findings.examples:
        print(example)
    return 1 if findings.lost or findings.broken else 0


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
