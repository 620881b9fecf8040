"""What is answered: outcomes and denials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from .decided import Identity
from .found import Memory
from .words import Millis

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate window after this request. `limit` None: unlimited. `reset_at` is wall time (epoch ms)."""

    limit: int | None
    usage: int
    reset_at: Millis
    in_grace: bool = False

    @property
    def remaining(self) -> int:
        """What is left of the base limit; never negative (reference, X-RateLimit-Remaining)."""
        return 0 if self.limit is None else max(0, self.limit - self.usage)


@dataclass(frozen=True, slots=True)
class Started:
    """Answer to a start (and to a verdict)."""

    call_id: str
    customer_ref: str
    call_start: Millis
    identity: Identity
    memory: Memory


@dataclass(frozen=True, slots=True)
class Ended:
    """Answer to an end."""

    call_id: str
    customer_ref: str
    call_start: Millis
    call_end: Millis
    duration_seconds: int
    intents_updated: int
    variables_updated: int


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a request (reference, details.issues[])."""

    path: tuple[str | int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class RateExceeded:
    """429. `usage` includes the refused request; `reset_at` is the instant a retry is admitted (wall, epoch ms)."""

    limit: int
    usage: int
    retry_after_seconds: int
    reset_at: Millis


@dataclass(frozen=True, slots=True)
class QuotaExhausted:
    """402."""

    billing_account_id: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """409. `details` are safe to show (customer_ref, call_start)."""

    message: str
    customer_ref: str | None = None
    call_start: Millis | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """400, found out by the facts rather than by the schema."""

    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """404: no such thing in this realm (an unknown id and another realm's id answer alike)."""

    what: str


Denial = RateExceeded | QuotaExhausted | Conflict | Invalid | Missing


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a use case returns: the outcome or the denial, and the rate window for the headers."""

    outcome: T | Denial
    rate: Rate | None = None
    replayed: bool = False
