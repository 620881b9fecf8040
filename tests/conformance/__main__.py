"""The app against its own description, and its TwiML against strangers' words:

python -m tests.conformance --cases 10000 --seed 1
python -m tests.conformance --strings 100000 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.conformance import described, strangers


def main() -> int:
    """0 when every answer was as described; 1 with what was not."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="requests to the API")
    parser.add_argument("--strings", type=int, help="hostile strings in conversations, instead of requests")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    logging.getLogger("adapter").setLevel(logging.CRITICAL)  # what is refused on purpose would fill the terminal
    return _described(wanted.cases, wanted.seed) if wanted.strings is None else _hostile(wanted.strings, wanted.seed)


def _described(cases: int, seed: int) -> int:
    began, findings = time.monotonic(), described.Findings()
    for findings in described.examine(cases, seed):
        print(
            f"{findings.cases} cases in {time.monotonic() - began:.0f} s, {len(findings.failures)} failures", flush=True
        )
    print(f"answers: {dict(sorted(findings.answers.items()))}")
    for name, shown in findings.failures.items():
        print(f"\nFAILURE {name}\n  {shown}")
    for error in findings.errors:
        print(f"\nERROR {error}")
    return 0 if findings.is_clean() else 1


def _hostile(strings: int, seed: int) -> int:
    began, told, findings = time.monotonic(), 0, strangers.Findings()
    for findings in strangers.examine(strings, seed):
        if findings.strings >= told:
            told += 10_000
            print(_so_far(findings, began), flush=True)
    print(_so_far(findings, began))
    for name, shown in findings.failures.items():
        print(f"\nFAILURE {name}\n  {shown!r}")
    return 1 if findings.failures else 0


def _so_far(findings: strangers.Findings, began: float) -> str:
    seconds = time.monotonic() - began
    return (
        f"{findings.strings} hostile strings in {findings.documents} documents in {seconds:.0f} s,"
        f" {len(findings.failures)} failures"
    )


if __name__ == "__main__":
    sys.exit(main())
