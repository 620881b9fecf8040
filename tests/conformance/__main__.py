"""The app against its own description: python -m tests.conformance --cases 10000 --seed 1"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.conformance.described import Findings, examine


def main() -> int:
    """0 when every answer was as described; 1 with what was not."""
    arguments = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    arguments.add_argument("--cases", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=1)
    wanted = arguments.parse_args()
    logging.getLogger("adapter").setLevel(logging.CRITICAL)  # what is refused on purpose would fill the terminal
    began, findings = time.monotonic(), Findings()
    for findings in examine(wanted.cases, wanted.seed):
        print(
            f"{findings.cases} cases in {time.monotonic() - began:.0f} s, {len(findings.failures)} failures", flush=True
        )
    print(f"answers: {dict(sorted(findings.answers.items()))}")
    for name, shown in findings.failures.items():
        print(f"\nFAILURE {name}\n  {shown}")
    for error in findings.errors:
        print(f"\nERROR {error}")
    return 0 if findings.is_clean() else 1


if __name__ == "__main__":
    sys.exit(main())
