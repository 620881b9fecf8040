"""What has happened to a call since it was last looked at: for `tail`. Pure.

Nothing of a caller's is told: no number, no name, no value; the number that was called is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.engine.lifecycle import call_end, duration_seconds
from adapter.engine.model import Call, Millis, Place


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind`: started | asked | about | handed_over | voicemail | verified | rejected | another_customer | over |
    hung_up | ended. `told`: the same for people."""

    at: Millis
    kind: str
    told: str


def happenings(before: Call | None, call: Call, seen_at: Millis) -> Iterator[Happening]:
    """In the order in which they happened, as far as can be told. `seen_at`: for what has no time of its own."""
    end = call_end(call)
    seen_at = seen_at if end is None else min(seen_at, end)
    if call.greeted_at is not None and (before is None or before.greeted_at is None):
        yield Happening(call.greeted_at, "started", _recognized(call))
    if call.verdict is not None and call.verdict_at is not None and (before is None or before.verdict != call.verdict):
        kind = "verified" if call.verdict.value == "confirmed" else "rejected"
        yield Happening(call.verdict_at, kind, kind)
    elif before is not None and before.customer_ref not in (None, call.customer_ref):
        yield Happening(seen_at, "another_customer", "another customer's call after all")
    yield from _talked(before, call, seen_at)
    if call.hung_up_at is not None and (before is None or before.hung_up_at is None):
        yield Happening(call.hung_up_at, "hung_up", f"hung up after {duration_seconds(call)} s")
    if call.ended_at is not None and (before is None or before.ended_at is None):
        yield Happening(call.ended_at, "ended", "ended by the API")


def _recognized(call: Call) -> str:
    if call.identity is None:
        return "started"
    sources = ", ".join(call.identity.sources) or "nothing known"
    return f"{call.identity.recommendation.value} {call.identity.confidence:.2f}  ({sources})"


def _talked(before: Call | None, call: Call, seen_at: Millis) -> Iterator[Happening]:
    talk, was = call.talk, None if before is None else before.talk
    if talk is None:
        return
    if talk.intent and (was is None or was.intent != talk.intent):
        yield Happening(seen_at, "about", f"about {talk.intent}")
    if was is not None and (was.place, was.destination) == (talk.place, talk.destination):
        return
    if talk.place is Place.HANDED_OVER:
        yield Happening(seen_at, "handed_over", f"put through to {talk.destination or 'default'}")
    elif talk.place in (Place.VOICEMAIL, Place.OVER):
        yield Happening(seen_at, talk.place.value, talk.place.value)
    else:
        yield Happening(talk.since or seen_at, "asked", f"asked: {talk.place.value}")
