"""What `stats` counts of calls, and how it is shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.engine.lifecycle import CallState, duration_seconds, state
from adapter.engine.model import Call, Place, Recommendation

_BAR = 30
_TENTHS = 10


@dataclass
class Tally:
    """Add calls, then ask. Memory: one number a call."""

    states: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    recommendations: Counter[str] = field(default_factory=Counter)
    tenths: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    destinations: Counter[str] = field(default_factory=Counter)
    intents: Counter[str] = field(default_factory=Counter)
    seconds: list[int] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Count one call."""
        self.states[state(call).value] += 1
        self.origins[call.origin.value] += 1
        if call.identity is not None:
            self.recommendations[call.identity.recommendation.value] += 1
            self.tenths[min(_TENTHS - 1, int(call.identity.confidence * _TENTHS))] += 1
        if call.verdict is not None:
            self.verdicts[call.verdict.value] += 1
        if state(call) is not CallState.ACTIVE:
            self.seconds.append(duration_seconds(call))
        self._add_talk(call)

    def as_dict(self) -> dict[str, Any]:
        """For --json. Confidence: calls by tenths, the first from 0 to below 0.1, the last up to 1."""
        return {
            "calls": self.states.total(),
            "active": self.states[CallState.ACTIVE.value],
            "origins": dict(self.origins.most_common()),
            "recommendations": {each.value: self.recommendations[each.value] for each in Recommendation},
            "confidence_tenths": [self.tenths[tenth] for tenth in range(_TENTHS)],
            "verdicts": dict(self.verdicts.most_common()),
            "duration_seconds": {"median": self._share_of_seconds(0.5), "p95": self._share_of_seconds(0.95)},
            "places": dict(self.places.most_common()),
            "destinations": dict(self.destinations.most_common()),
            "intents": dict(self.intents.most_common()),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        total = self.states.total()
        yield f"  calls           {total:,}  ({_listed(self.origins) or 'none'})"
        if not total:
            return
        yield f"  going on now    {self.states[CallState.ACTIVE.value]:,}"
        median, longest = _clock(self._share_of_seconds(0.5)), _clock(self._share_of_seconds(0.95))
        yield f"  length          median {median}, 95 % up to {longest}"
        for title, counted in (
            ("recommended", self.recommendations),
            ("verdicts", self.verdicts),
            ("came as far as", self.places),
            ("put through to", self.destinations),
            ("about", self.intents),
        ):
            if counted:
                yield f"  {title:15} {_listed(counted)}"
        yield "  how sure"
        most = max(self.tenths.values(), default=0) or 1
        for tenth in range(_TENTHS):
            bar = "█" * -(-self.tenths[tenth] * _BAR // most)
            span = f"{tenth / _TENTHS:.1f} to {(tenth + 1) / _TENTHS:.1f}"
            yield f"    {span}  {self.tenths[tenth]:>7,}  {bar}".rstrip()

    def _add_talk(self, call: Call) -> None:
        if call.talk is None:
            return
        self.places[call.talk.place.value] += 1
        if call.talk.place is Place.HANDED_OVER or call.talk.tried:
            self.destinations[call.talk.destination or "default"] += 1
        if call.talk.intent:
            self.intents[call.talk.intent] += 1

    def _share_of_seconds(self, share: float) -> int | None:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in Counter(counted).most_common())


def _clock(seconds: int | None) -> str:
    return "-" if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"
