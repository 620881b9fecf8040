"""What came of a replay, counted in bounded memory: differences by what they are, with an example of each."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from adapter.engine.model import Millis
from adapter.replay.compare import Difference
from adapter.replay.recording import Recorded

from .checks import Checked

# Beyond that, what is new is only counted: a run in which everything is different must end, too.
_MOST_GROUPS: Final = 500
_MOST_CALLS: Final = 10_000  # that go on at the same time
_MOST_EXAMPLES: Final = 3
# After one of these the caller is at another place, and what they do there was recorded nowhere.
_WAYS: Final = frozenset({"asks", "destination", "goes_on", "document", "status", "type", "record", "hangup", "step"})
_GONE: Final = "gone another way"
_BUCKETS_PER_DOUBLING: Final = 20
# What a difference is about, for who counts calls; anything else is "other".
_ABOUT: Final = {
    "recommendation": "recommendation",
    "confidence": "confidence",
    "destination": "destination",
    "says": "wording",
    "language": "wording",
    "voice": "wording",
    "plays": "wording",
    "asks": "questions",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Where a difference was found."""

    call: str
    caller: str
    kind: str
    at: Millis | None


@dataclass(slots=True)
class Group:
    """All differences that are alike. `webhooks`: how many have it."""

    difference: Difference
    webhooks: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """`calls`: each counted once (of those that go on at the same time). `changed_calls`: with a difference; `changes`:
    by what it is about. `followed`: webhooks whose answer differs after their call had gone another way: the recorded
    caller answers questions that were not asked, which says nothing."""

    webhooks: int = 0
    calls: int = 0
    changed_calls: int = 0
    compared: int = 0
    same_bytes: int = 0
    different: int = 0
    followed: int = 0
    ungrouped: int = 0
    first: Millis | None = None
    last: Millis | None = None
    changes: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    _calls: OrderedDict[str, set[str]] = field(default_factory=OrderedDict)

    @property
    def is_clean(self) -> bool:
        """Nothing is different, and everything was answered."""
        return not self.different and not self.followed and not self.troubles

    @property
    def recorded_seconds(self) -> float:
        """From the first webhook to the last, as they were recorded."""
        return 0.0 if self.first is None or self.last is None else (self.last - self.first) / 1_000

    def add(self, checked: Checked) -> tuple[Difference, ...]:
        """Count it. The differences that say something: none once the call had gone another way."""
        recorded = checked.rerun.recorded
        self._count(checked, recorded)
        marks = self._marks(recorded.call)
        if not checked.differences:
            return ()
        if _GONE in marks:
            self.followed += 1
            return ()
        self.different += 1
        self._mark(checked.differences, marks)
        for each in checked.differences:
            self._group(each, recorded)
        return checked.differences

    def begin_again(self) -> None:
        """The same calls come once more: they are others now."""
        self._calls.clear()

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the answers came, to 4 %."""
        wanted, seen = math.ceil(self.latencies.total() * share), 0
        for bucket in sorted(self.latencies):
            seen += self.latencies[bucket]
            if seen >= wanted:
                return float(2 ** (bucket / _BUCKETS_PER_DOUBLING))
        return 0.0

    def commonest(self) -> list[Group]:
        """The differences, what most webhooks have first."""
        return sorted(self.groups.values(), key=lambda group: -group.webhooks)

    def _count(self, checked: Checked, recorded: Recorded) -> None:
        self.webhooks += 1
        self.compared += checked.compared
        self.same_bytes += checked.is_same_bytes
        if checked.trouble:
            self.troubles[checked.trouble] += 1
        if checked.rerun.seconds > 0:
            self.latencies[math.ceil(math.log2(checked.rerun.seconds) * _BUCKETS_PER_DOUBLING)] += 1
        if recorded.at is not None:
            self.first = recorded.at if self.first is None else min(self.first, recorded.at)
            self.last = recorded.at if self.last is None else max(self.last, recorded.at)

    def _marks(self, call: str) -> set[str]:
        if call not in self._calls:
            self.calls += 1
            self._calls[call] = set()
            if len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)
        self._calls.move_to_end(call)
        return self._calls[call]

    def _mark(self, differences: tuple[Difference, ...], marks: set[str]) -> None:
        about = {_ABOUT.get(each.kind, "other") for each in differences}
        self.changes.update(about - marks)
        self.changed_calls += not marks
        marks |= about
        if any(each.kind in _WAYS for each in differences):
            marks.add(_GONE)

    def _group(self, difference: Difference, recorded: Recorded) -> None:
        key = (difference.kind, difference.sentence)
        if key not in self.groups:
            if len(self.groups) >= _MOST_GROUPS:
                self.ungrouped += 1
                return
            self.groups[key] = Group(difference)
        group = self.groups[key]
        group.webhooks += 1
        if len(group.examples) < _MOST_EXAMPLES:
            group.examples.append(Example(recorded.call, recorded.value("From"), recorded.kind, recorded.at))

    def as_json(self) -> dict[str, Any]:
        """All of it, with the latencies in milliseconds."""
        return {
            "webhooks": self.webhooks,
            "calls": self.calls,
            "compared": self.compared,
            "same_bytes": self.same_bytes,
            "different": self.different,
            "changed_calls": self.changed_calls,
            "changes": dict(self.changes),
            "followed": self.followed,
            "troubles": dict(self.troubles),
            "recorded_seconds": self.recorded_seconds,
            "latency_ms": {
                name: round(1_000 * self.percentile(share), 2)
                for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
            },
            "differences": [_group_as_json(group) for group in self.commonest()],
            "further_differences": self.ungrouped,
        }


def _group_as_json(group: Group) -> dict[str, Any]:
    found = group.difference
    return {
        "kind": found.kind,
        "sentence": found.sentence,
        "before": found.before,
        "after": found.after,
        "webhooks": group.webhooks,
        "examples": [{"call": each.call, "caller": each.caller, "webhook": each.kind} for each in group.examples],
    }
