"""Webhooks in the order of time. Several workers write one recording, and one may be a moment behind another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final

from adapter.engine.model import Millis
from adapter.replay.recording import Recorded

# A worker writes at most 100 lines at once; so many may stand before one that came earlier.
_WINDOW: Final = 400


def in_order(webhooks: Iterable[Recorded]) -> Iterator[Recorded]:
    """The same, each at most so many places from where it was. What has no time stays behind what stood before it."""
    waiting: list[tuple[Millis, int, Recorded]] = []
    at: Millis = 0
    for place, recorded in enumerate(webhooks):
        at = at if recorded.at is None else recorded.at
        heappush(waiting, (at, place, recorded))
        if len(waiting) > _WINDOW:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]
