"""What clients asked for and what they were told: the only witness of a crash storm.

An effect is SAVED (acknowledged: it must be there, once), UNKNOWN (no answer: it may be there, once, or not at all) or
was never asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What a client knows of an effect."""

    SAVED = "saved"
    UNKNOWN = "unknown"


class Effect(StrEnum):
    """What can be asked of a call. Each costs 1 when it happens."""

    BEGIN = "begin"
    END = "end"
    HANG_UP = "hang-up"


@dataclass
class CallLog:
    """One call as its client saw it, and the mark that its end was to leave as a variable."""

    call_id: str
    mark: str
    fates: dict[Effect, Fate] = field(default_factory=dict)


@dataclass
class CallerLog:
    """One telephone number and its calls, in order. `refs`: every customer it was told to be."""

    number: str
    calls: list[CallLog] = field(default_factory=list)
    refs: set[str] = field(default_factory=set)

    def ends(self, *fates: Fate) -> int:
        """How many ends have one of these fates."""
        return sum(call.fates.get(Effect.END) in fates for call in self.calls)


@dataclass
class Ledger:
    """All callers, and what was wrong already while the storm went on."""

    callers: list[CallerLog] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    requests: int = 0
    answers: int = 0
    greetings: int = 0
    workers: set[str] = field(default_factory=set)
    served: set[str] = field(default_factory=set)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def caller(self, log: CallerLog) -> CallerLog:
        with self._mutex:
            self.callers.append(log)
        return log

    def asked(self) -> None:
        with self._mutex:
            self.requests += 1

    def answered(self, worker: str) -> None:
        with self._mutex:
            self.answers += 1
            self.workers.add(worker)

    def greeted(self) -> None:
        """A voice webhook had an answer."""
        with self._mutex:
            self.greetings += 1

    def saved(self, worker: str) -> None:
        """A worker has brought something into the database."""
        with self._mutex:
            self.served.add(worker)

    def forget_who_served(self) -> None:
        """From now on `served` is who has done so since."""
        with self._mutex:
            self.served = set()

    def recent_workers(self) -> set[str]:
        """Who has answered since this was last asked."""
        with self._mutex:
            found, self.workers = self.workers, set()
        return found

    def fault(self, what: str) -> None:
        with self._mutex:
            self.faults.append(what)

    def calls(self) -> Iterator[tuple[CallerLog, CallLog]]:
        for caller in self.callers:
            for call in caller.calls:
                yield caller, call

    def count(self, fate: Fate) -> int:
        """Effects with this fate."""
        return sum(found is fate for _, call in self.calls() for found in call.fates.values())
