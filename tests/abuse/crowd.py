"""Processes that do their parts of something at once, in step."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

PROCESSES = 4
_STEP_SECONDS = 120

Step = Callable[[], object]


def together(work: Callable[..., Any], *given: Any) -> list[Any]:
    """What `work(place, step, *given)` comes to in each of four processes. `step()` waits until all have come so far.

    When one fails, all end, and what is given back is what it raised, as text (see `failures`).
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES), context.SimpleQueue()
    crowd = [context.Process(target=_run, args=(work, place, barrier, results, *given)) for place in range(PROCESSES)]
    for each in crowd:
        each.start()
    told = [results.get() for _ in crowd]
    for each in crowd:
        each.join()
    return told


def failures(told: list[Any]) -> list[str]:
    """What the processes that failed raised."""
    return [each for each in told if isinstance(each, str)]


def shared_number() -> Any:
    """A number (64 bits) that all of them see and may change, holding its lock."""
    return multiprocessing.get_context("spawn").Value("q", 0)


def _run(work: Callable[..., Any], place: int, barrier: Any, results: Any, *given: Any) -> None:
    try:
        results.put(work(place, lambda: barrier.wait(_STEP_SECONDS), *given))
    except BaseException as error:
        barrier.abort()
        results.put(repr(error))
        raise
