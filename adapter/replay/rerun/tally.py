"""What came of a replay, counted in bounded memory: differences by what they are, with an example of each."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from adapter.engine.caller_id import read_ani
from adapter.engine.model import Millis
from adapter.replay.compare import Difference
from adapter.replay.recording import Recorded

from .checks import Checked
from .distinct import Distinct

# Beyond that, what is new is only counted: a run in which everything is different must end, too.
_MOST_GROUPS: Final = 500
_MOST_CALLS: Final = 10_000  # that go on at the same time
_MOST_EXAMPLES: Final = 3
# After one of these the caller is at another place, and what they do there was recorded nowhere.
_WAYS: Final = frozenset({"asks", "destination", "goes_on", "document", "status", "type", "record", "hangup", "step"})
_FOLLOWED: Final = "followed"
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
class _Call:
    """A call that goes on. `caller`: who calls; of nobody knows whom, the call stands for the caller. `is_one`: no
    customer erased without any call."""

    caller: str
    is_one: bool = True
    marks: set[str] = field(default_factory=set)
    has_gone: bool = False


@dataclass(slots=True)
class Tally:
    """`calls` and `callers`: each counted once (calls: of those that go on at the same time). `changed_…`: with a
    difference; `changes` and `changes_of_callers`: by what it is about.

    `followed`: webhooks that came after their call had gone another way, by their kind: the recorded caller answers
    questions that were not asked, so whether they are answered as before says nothing, and is not looked at.
    `gone`: how many calls have such webhooks, with `examples_of_gone`.
    """

    webhooks: int = 0
    calls: int = 0
    changed_calls: int = 0
    gone: int = 0
    compared: int = 0
    same_bytes: int = 0
    different: int = 0
    ungrouped: int = 0
    first: Millis | None = None
    last: Millis | None = None
    callers: Distinct = field(default_factory=Distinct)
    changed_callers: Distinct = field(default_factory=Distinct)
    changes: Counter[str] = field(default_factory=Counter)
    changes_of_callers: defaultdict[str, Distinct] = field(default_factory=lambda: defaultdict(Distinct))
    followed: Counter[str] = field(default_factory=Counter)
    examples_of_gone: list[Example] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    examples_of_troubles: dict[str, list[Example]] = field(default_factory=dict)
    latencies: Counter[int] = field(default_factory=Counter)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    _calls: OrderedDict[str, _Call] = field(default_factory=OrderedDict)

    @property
    def is_clean(self) -> bool:
        """Nothing is different, and everything was answered."""
        return not self.different and not self.troubles

    @property
    def recorded_seconds(self) -> float:
        """From the first webhook to the last, as they were recorded."""
        return 0.0 if self.first is None or self.last is None else (self.last - self.first) / 1_000

    def add(self, checked: Checked) -> tuple[Difference, ...]:
        """Count it. The differences that say something: none once the call had gone another way."""
        recorded = checked.rerun.recorded
        self._count(checked, recorded)
        call = self._call(recorded, checked.rerun.round)
        if call.has_gone and checked.compared:
            self._follow(recorded, call)
            return ()
        self.compared += checked.compared
        self.same_bytes += checked.is_same_bytes and not checked.differences
        if checked.differences:
            self.different += 1
            self._mark(checked.differences, call)
            for each in checked.differences:
                self._group(each, recorded)
        return checked.differences

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
        if checked.trouble:
            self.troubles[checked.trouble] += 1
            _keep_example(self.examples_of_troubles.setdefault(checked.trouble, []), recorded)
        if checked.rerun.seconds > 0:
            self.latencies[math.ceil(math.log2(checked.rerun.seconds) * _BUCKETS_PER_DOUBLING)] += 1
        if recorded.at is not None:
            self.first = recorded.at if self.first is None else min(self.first, recorded.at)
            self.last = recorded.at if self.last is None else max(self.last, recorded.at)

    def _call(self, recorded: Recorded, round_: int) -> _Call:
        key = f"{round_} {recorded.call or recorded.path}"
        if key not in self._calls:
            call = self._calls[key] = _Call(caller_of(recorded), bool(recorded.call))
            if call.is_one:
                self.calls += 1
                self.callers.add(call.caller)
            if len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)
        self._calls.move_to_end(key)
        return self._calls[key]

    def _follow(self, recorded: Recorded, call: _Call) -> None:
        self.followed[recorded.kind] += 1
        if _FOLLOWED not in call.marks:
            call.marks.add(_FOLLOWED)
            self.gone += 1
            _keep_example(self.examples_of_gone, recorded)

    def _mark(self, differences: tuple[Difference, ...], call: _Call) -> None:
        found = {about(each.kind) for each in differences}
        self.changes.update(found - call.marks)
        if call.is_one:
            self.changed_calls += not call.marks
            self.changed_callers.add(call.caller)
        for each in found:
            self.changes_of_callers[each].add(call.caller)
        call.marks |= found
        call.has_gone = call.has_gone or any(each.kind in _WAYS for each in differences)

    def _group(self, difference: Difference, recorded: Recorded) -> None:
        key = (difference.kind, difference.sentence)
        if key not in self.groups:
            if len(self.groups) >= _MOST_GROUPS:
                self.ungrouped += 1
                return
            self.groups[key] = Group(difference)
        group = self.groups[key]
        group.webhooks += 1
        _keep_example(group.examples, recorded)

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
            "callers": self.callers.count,
            "changed_callers": self.changed_callers.count,
            "changes_of_callers": {name: found.count for name, found in self.changes_of_callers.items()},
            "followed": self.followed.total(),
            "followed_by_kind": dict(self.followed),
            "followed_calls": self.gone,
            "followed_examples": [_example_as_json(each) for each in self.examples_of_gone],
            "troubles": dict(self.troubles),
            "trouble_examples": {
                trouble: [_example_as_json(each) for each in examples]
                for trouble, examples in self.examples_of_troubles.items()
            },
            "recorded_seconds": self.recorded_seconds,
            "latency_ms": {
                name: round(1_000 * self.percentile(share), 2)
                for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
            },
            "differences": [_group_as_json(group) for group in self.commonest()],
            "further_differences": self.ungrouped,
        }


def caller_of(recorded: Recorded) -> str:
    """Who calls, by number. Of who withholds it nobody knows whether they called before: each call is one's own."""
    return read_ani(recorded.caller).number or recorded.call or recorded.path


def about(kind: str) -> str:
    """What a difference of this kind is about, for who counts calls: recommendation, destination, wording, …"""
    return _ABOUT.get(kind, "other")


def _group_as_json(group: Group) -> dict[str, Any]:
    found = group.difference
    return {
        "kind": found.kind,
        "sentence": found.sentence,
        "before": found.before,
        "after": found.after,
        "webhooks": group.webhooks,
        "examples": [_example_as_json(each) for each in group.examples],
    }


def _keep_example(examples: list[Example], recorded: Recorded) -> None:
    """Where it was found, the first few times."""
    if len(examples) < _MOST_EXAMPLES:
        examples.append(Example(recorded.call, recorded.caller, recorded.kind, recorded.at))


def _example_as_json(example: Example) -> dict[str, Any]:
    return {"call": example.call, "caller": example.caller, "webhook": example.kind}
