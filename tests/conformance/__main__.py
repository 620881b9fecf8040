"""The app against its own description, against requests of any form, and its TwiML against strangers' words:

python -m tests.conformance --cases 10000
python -m tests.conformance --requests 60000
python -m tests.conformance --strings 100000

Others each time; the seed that is printed (--seed) gives the same again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

from hypothesis.errors import HypothesisException

from tests.conformance import any_request, described, strangers


def main() -> int:
    """0 when every answer was as described; 1 with what was not."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="requests to the API, as it is described")
    parser.add_argument("--requests", type=int, help="requests of any form, instead of those")
    parser.add_argument("--strings", type=int, help="hostile strings in conversations, instead of requests")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    wanted = parser.parse_args()
    logging.getLogger("adapter").setLevel(logging.CRITICAL)  # what is refused on purpose would fill the terminal
    print(f"seed {wanted.seed}", flush=True)
    if wanted.requests is not None:
        return _any_form(wanted.requests, wanted.seed)
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


def _any_form(requests: int, seed: int) -> int:
    began = time.monotonic()
    try:
        any_request.send(requests, seed)
    except (AssertionError, HypothesisException):
        traceback.print_exc()
        return 1
    print(f"{requests} requests in {time.monotonic() - began:.0f} s, each answered as it should be")
    return 0


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
