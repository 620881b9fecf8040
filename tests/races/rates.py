"""Races against the clock: the rolling rate window (semantics §3), and keys that are revoked meanwhile (§1).

The window is judged twice: by the steady times the server keeps of what it admitted, and by the clients' own clocks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapter.store import keys
from tests.races.arena import FREE, TINY, UNLIMITED, Arena
from tests.races.racers import Reply
from tests.serving import Request

_HITS = (
    "SELECT seq, at FROM rate_hits JOIN organizations USING (account) "
    "WHERE rate_hits.organization = organizations.number AND organizations.organization = ?"
)
_NOBODY = "/v1/customers/00000000-0000-4000-8000-000000000000"
_HAMMERS = 16
# Whoever hammers with a key that is wrong now is soon asked to slow down.
_CLOSED = (401, 429)
# Server times are whole milliseconds, rounded down.
_ROUNDING_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier as it is to be seen from outside. `hard`: with its grace."""

    organization: str
    base: int
    hard: int
    window_seconds: int


TINY_TIER = Tier(TINY, 20, 22, 1)
FREE_TIER = Tier(FREE, 100, 110, 60)


def never_too_many(arena: Arena, tier: Tier, seconds: float) -> list[str]:
    """All hammer for so long: never more than the hard limit in any window, and who waits as told is admitted."""
    requests = [arena.get(tier.organization, _NOBODY)] * _HAMMERS
    with Sampling(arena, tier) as sampling:
        replies = arena.racers.hammer(arena.server.port, requests, seconds)
    admitted = [reply for reply in replies if reply.status == 404]
    refused = [reply for reply in replies if reply.status == 429]
    faults = [f"a status was {reply.status} {reply.error}" for reply in replies if reply.status not in (404, 429)]
    faults += _judge_hits(sampling.hits, tier)
    faults += [] if len(sampling.hits) == len(admitted) else [f"{len(admitted)} admitted, {len(sampling.hits)} counted"]
    faults += _judge_clients(admitted, tier)
    faults += [] if len(admitted) > tier.hard else [f"only {len(admitted)} admitted: the window does not roll"]
    faults += [fault for reply in refused for fault in _judge_refusal(reply, tier)][:5]
    return faults + _waits_as_told(arena, tier, requests[0])


def revoked_everywhere(arena: Arena, place: int = 0) -> list[str]:
    """A key that all workers know is revoked in the store: a second later none of them lets it in."""
    key = arena.server.key(UNLIMITED)
    requests = [Request("GET", _NOBODY, {"Authorization": f"Bearer {key}"})] * _HAMMERS
    before = arena.racers.hammer(arena.server.port, requests, 0.5)
    faults = [f"a valid key was answered {reply.status}" for reply in before if reply.status != 404][:3]
    store, prefix = arena.server.service.store, key[:16]
    if not keys.revoke(store, prefix, arena.server.service.clock.now()):
        faults.append("the key was not there to be revoked")
    revoked = time.monotonic()
    after = arena.racers.hammer(arena.server.port, requests, 1.5)
    late = [reply for reply in after if reply.sent >= revoked + 1.0]
    let_in = [reply for reply in late if reply.status not in _CLOSED]
    faults += [f"{reply.sent - revoked:.2f} s after: {reply.status}" for reply in let_in][:3]
    known = {reply.worker for reply in before}
    asked = {reply.worker for reply in late}
    if not len(known) == len(asked) == arena.workers:
        faults.append(f"blind: {len(known)} workers were asked before and {len(asked)} after, not all")
    return faults


@dataclass
class Sampling:
    """Collects the organization's hits while they are there: they are swept once they have left the window."""

    arena: Arena
    tier: Tier
    hits: dict[int, int] = field(default_factory=dict)
    _before: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Sampling:
        self._before = max((number for number, _ in self._rows()), default=0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stop.wait(self.tier.window_seconds / 5):
            self._look()

    def _look(self) -> None:
        self.hits.update({number: at for number, at in self._rows() if number > self._before})

    def _rows(self) -> list[tuple[int, int]]:
        return [(number, at) for number, at in self.arena.rows(_HITS, self.tier.organization)]


def _judge_hits(hits: dict[int, int], tier: Tier) -> list[str]:
    """By the server's steady times: a hit and the one `hard` places later are at least a window apart."""
    numbers = sorted(hits)
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True:
        return ["blind: not every hit was seen"]
    times = [hits[number] for number in numbers]
    spans = [later - at for at, later in zip(times, times[tier.hard :], strict=False)]
    tight = [span for span in spans if span < tier.window_seconds * 1000]
    return [f"{tier.hard + 1} admitted within {span} ms" for span in tight][:3]


def _judge_clients(admitted: Sequence[Reply], tier: Tier) -> list[str]:
    """By the clients' clock: what was both sent and answered within one window was admitted within it."""
    faults = []
    for first in admitted:
        end = first.sent + tier.window_seconds - _ROUNDING_SECONDS
        inside = sum(first.sent <= reply.sent and reply.done <= end for reply in admitted)
        if inside > tier.hard:
            faults.append(f"clients saw {inside} admitted within {tier.window_seconds} s")
    return faults[:3]


def _judge_refusal(reply: Reply, tier: Tier) -> list[str]:
    told = reply.json
    wait = told["retryAfter"]
    facts = {
        "limit": told["limit"] == tier.base and reply.headers["x-ratelimit-limit"] == str(tier.base),
        "currentUsage": told["currentUsage"] == tier.hard + 1,
        "retryAfter": 1 <= wait <= tier.window_seconds and reply.headers["retry-after"] == str(wait),
        "remaining": reply.headers["x-ratelimit-remaining"] == "0",
    }
    return [f"429 with a wrong {name}: {reply.body}" for name, holds in facts.items() if not holds]


def _waits_as_told(arena: Arena, tier: Tier, request: Request) -> list[str]:
    refused = _until_refused(arena, tier, request)
    if refused is None:
        return ["blind: nobody was refused after the hammering"]
    # The wait is the promise under test.
    time.sleep(refused.json["retryAfter"])
    reply = arena.racers.race(arena.server.port, [request])[0]
    return [] if reply.status == 404 else [f"waited {refused.json['retryAfter']} s as told, then: {reply.status}"]


def _until_refused(arena: Arena, tier: Tier, request: Request) -> Reply | None:
    for _ in range(3):
        replies = arena.racers.race(arena.server.port, [request] * (tier.hard + 1))
        refused = [reply for reply in replies if reply.status == 429]
        if refused:
            return max(refused, key=lambda reply: reply.done)
    return None
