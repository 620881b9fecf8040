"""How many examples Hypothesis tries: as many as a test says, the same in every run; or more of them, at random."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

# STICKY_CALLS_TEST_EXAMPLES=20 tries twenty times as many, others in each run.
TIMES: Final = int(os.environ.get("STICKY_CALLS_TEST_EXAMPLES", "1"))


def examples(most: int) -> int:
    return most * TIMES


# The same ones in CI's every run, however slow the machine is just then: none may turn red by chance.
SUITE: Final = "suite"
settings.register_profile(
    SUITE,
    derandomize=TIMES == 1,
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
