"""The long run: python -m tests.model --examples 2000 --steps 60

Other examples each time; the seed that is printed with a difference (--seed) gives the same again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

from hypothesis import HealthCheck, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import STEPS, Machine


def main() -> int:
    """0 when every answer was the model's; 1 with the smallest sequence that was not."""
    arguments = argparse.ArgumentParser(
        prog="python -m tests.model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--examples", type=int, default=500)
    arguments.add_argument("--steps", type=int, default=60)
    arguments.add_argument("--seed", type=int, default=None)
    wanted = arguments.parse_args()
    logging.getLogger("adapter").setLevel(logging.CRITICAL)
    first = time.time_ns() if wanted.seed is None else wanted.seed
    began, done, batch = time.monotonic(), 0, 0
    while done < wanted.examples:
        size = min(100, wanted.examples - done)
        try:
            run(size, wanted.steps, first + batch)
        except (AssertionError, HypothesisException) as error:
            traceback.print_exc()
            again = f"python -m tests.model --examples {size} --steps {wanted.steps} --seed {first + batch}"
            print(f"DIFFERENT after {STEPS[0]} steps: {type(error).__name__}. Again: {again}", flush=True)
            return 1
        done, batch = done + size, batch + 1
        passed = time.monotonic() - began
        print(f"{done} examples, {STEPS[0]} steps, {STEPS[0] / passed:.0f} steps/s, no difference", flush=True)
    return 0


def run(examples: int, steps: int, number: int) -> None:
    """One batch under its own seed, so that a difference can be had again with --seed."""
    machine = seed(number)(type("Machine", (Machine,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
