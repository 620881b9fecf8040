"""Is a history of concurrent starts and ends one that could have happened one after the other?

A history is what some processes did at once and what each was told. It is linearizable when its operations can be put
in an order that keeps to real time (who was answered before another asked comes first) and in which the naive memory
below gives the same answers. The search is that of Wing and Gong: try every operation that may come next, go back when
its answer does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

# One caller's open intents (name, attempts) and variables, by name: those opened in the same millisecond have no order.
Intents = tuple[tuple[str, int], ...]
Variables = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What an operation was answered. `seen`: of a start, what is known of the caller."""

    status: Literal["ok", "conflict"]
    ref: str = ""
    seen: tuple[Intents, Variables] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A start, or an end that leaves `intent` open or resolves it and saves `variable`. Times are of one clock, ns."""

    kind: Literal["start", "end"]
    call_id: str
    asked: int
    answered: int
    told: Told
    intent: str = ""
    resolved: bool = False
    variable: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class State:
    """One number's memory: its customer, calls that are known (and whether they have ended), what was kept."""

    ref: str = ""
    calls: frozenset[tuple[str, bool]] = frozenset()
    intents: Intents = ()
    variables: Variables = ()

    def after(self, operation: Operation) -> State | None:
        """The state after it; None when it would have been answered otherwise."""
        return self._started(operation) if operation.kind == "start" else self._ended(operation)

    def _started(self, operation: Operation) -> State | None:
        told = operation.told
        if self._knows(operation.call_id):
            # The conflict names whose call it is.
            return self if told.status == "conflict" and told.ref == self.ref else None
        if told.status != "ok" or (self.ref and told.ref != self.ref) or told.seen != (self.intents, self.variables):
            return None
        return replace(self, ref=told.ref, calls=self.calls | {(operation.call_id, False)})

    def _ended(self, operation: Operation) -> State | None:
        told = operation.told
        if (operation.call_id, True) in self.calls:
            return self if told.status == "conflict" else None
        if told.status != "ok" or (self.ref and told.ref != self.ref):
            return None
        ended = (self.calls - {(operation.call_id, False)}) | {(operation.call_id, True)}
        kept = (
            self if operation.variable is None else replace(self, variables=_with(self.variables, *operation.variable))
        )
        return replace(kept, ref=told.ref, calls=ended, intents=_counted(self.intents, operation))

    def _knows(self, call_id: str) -> bool:
        return (call_id, False) in self.calls or (call_id, True) in self.calls


def is_linearizable(history: Sequence[Operation]) -> bool:
    """Whether there is such an order."""
    dead: set[tuple[frozenset[int], State]] = set()

    def search(left: frozenset[int], state: State) -> bool:
        if not left:
            return True
        if (left, state) in dead:
            return False
        for place in _next(history, left):
            after = state.after(history[place])
            if after is not None and search(left - {place}, after):
                return True
        dead.add((left, state))
        return False

    return search(frozenset(range(len(history))), State())


def _next(history: Sequence[Operation], left: frozenset[int]) -> Iterator[int]:
    """Those that nobody left was answered before they were asked."""
    first_answer = min(history[place].answered for place in left)
    return (place for place in left if history[place].asked <= first_answer)


def _counted(intents: Intents, operation: Operation) -> Intents:
    if not operation.intent:
        return intents
    if operation.resolved:
        return tuple(each for each in intents if each[0] != operation.intent)
    known = dict(intents)
    known[operation.intent] = known.get(operation.intent, 0) + 1
    return tuple(sorted(known.items()))


def _with(variables: Variables, name: str, value: str) -> Variables:
    return tuple(sorted({**dict(variables), name: value}.items()))
