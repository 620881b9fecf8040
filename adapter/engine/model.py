"""The vocabulary everybody shares: what is asked, what was found, what was decided.

Frozen values only. Times are `Millis` (epoch milliseconds, UTC), durations say their unit in the name.
Leaves out: every rule (the modules beside this one).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

Millis = int
T = TypeVar("T")


class LineType(StrEnum):
    """What kind of line a number is (reference, telco.line_type)."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    UNKNOWN = "unknown"


class Level(StrEnum):
    """Reference, identity.level."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


class Recommendation(StrEnum):
    """Reference, identity.recommendation."""

    REUSE = "reuse"
    CONFIRM = "confirm"
    IGNORE = "ignore"


class IntentStatus(StrEnum):
    """Reference, intent_status."""

    OPEN = "open"
    RESOLVED = "resolved"


class Mode(StrEnum):
    """Which half of an organization's data a key opens (semantics §1)."""

    TEST = "test"
    PROD = "prod"


class Verdict(StrEnum):
    """What an agent or bot found out about the caller in the call (semantics §8)."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Origin(StrEnum):
    """Which edge a command came through."""

    API = "api"
    TWILIO = "twilio"


class Basis(StrEnum):
    """The evidence a call's customer rests on, strongest first."""

    VERIFIED = "verified"
    CUSTOMER_REF = "customer_ref"
    EXTERNAL_ID = "external_id"
    ANI = "ani"
    NEW = "new"


# --- who asks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Realm:
    """One organization in one mode: the walls of all caller data (semantics §1). Two small ints, for compact keys."""

    account: int
    number: int


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate tier. `per_minute` None means unlimited."""

    name: str
    per_minute: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A billing account's month. `monthly` None means unlimited; `billing_day` 1..31, UTC, clipped to short months."""

    billing_account_id: str
    monthly: int | None
    billing_day: int = 1


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, already authenticated."""

    organization: str
    organization_number: int
    mode: Mode
    realm: Realm
    tier: Tier
    plan: Plan


# --- what is asked --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hints:
    """What a caller presents. `ani` is E.164 or None; `ani_note` says why there is none (for the explanation)."""

    ani: str | None = None
    dnis: str | None = None
    external_ids: tuple[tuple[str, str], ...] = ()
    customer_ref: str | None = None
    line_type: LineType | None = None
    ani_note: str | None = None


@dataclass(frozen=True, slots=True)
class StartCall:
    """Reference, POST /v1/calls/start; or a Twilio voice webhook."""

    call_id: str
    hints: Hints
    origin: Origin = Origin.API


@dataclass(frozen=True, slots=True)
class IntentUpdate:
    """One intent named at the end of a call. `resolution` is any JSON object, or None."""

    intent: str
    status: IntentStatus = IntentStatus.OPEN
    resolution: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class VariableUpdate:
    """One variable to keep. `value` None deletes it; `ttl_seconds` None means the policy's default."""

    name: str
    value: str | None
    source: str | None = None
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class EndCall:
    """Reference, POST /v1/calls/end, simple and advanced form already merged. `hints` None: none were sent."""

    call_id: str
    customer_ref: str | None = None
    hints: Hints | None = None
    intents: tuple[IntentUpdate, ...] = ()
    variables: tuple[VariableUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class HangUp:
    """Twilio reported the caller's own leg as finished. `duration_seconds` of the leg, when told."""

    call_id: str
    hints: Hints
    at: Millis
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The header's value and the fingerprint of the body it came with (keyed hash, hex)."""

    key: str
    fingerprint: str


# --- what was found -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AniLink:
    """A number points to a customer. `doubts` counts rejections since the last confirmation."""

    customer_ref: str
    last_seen: Millis
    line_type: LineType | None = None
    line_type_at: Millis = 0
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class ExternalLink:
    """An external id (key, value) points to one customer."""

    customer_ref: str
    last_seen: Millis
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Sightings:
    """Where an external id (or customer_ref) was presented before.

    `other_numbers`: distinct ANIs other than the present one, counted up to a small limit.
    `with_this_ani_in_call`: the call_id that first presented this pair together with the present ANI, or None.
    """

    other_numbers: int = 0
    with_this_ani_in_call: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A living customer. `external_keys`: the keys under which it has a value."""

    customer_ref: str
    last_contact: Millis
    external_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the store knows about what a caller presents. Erased customers are not in it."""

    customers: dict[str, CustomerFacts] = field(default_factory=dict)
    ani: tuple[AniLink, ...] = ()
    external: dict[tuple[str, str], ExternalLink] = field(default_factory=dict)
    sightings: dict[tuple[str, str], Sightings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent of a customer. `attempt_count`: ended calls that left it open since it was last resolved."""

    intent: str
    status: IntentStatus
    attempt_count: int
    opened_at: Millis
    position: int
    updated_at: Millis
    last_call_id: str
    resolution: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A remembered variable. Gone at the very millisecond `expires_at`. (created_at, position) is its place in answers."""

    name: str
    value: str
    source: str | None
    ttl_seconds: int
    created_at: Millis
    position: int
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a customer, as answered: open intents oldest first, living variables in order of creation."""

    open_intents: tuple[Intent, ...] = ()
    variables: tuple[Variable, ...] = ()


# --- what was decided -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Reference, response `identity`."""

    confidence: float
    level: Level
    sources: tuple[str, ...]
    recommendation: Recommendation


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of an explanation: what was looked at, the rule that judged it, and what it added.

    `kind`: customer_ref | external_id | ani | recency | verdict | hint-less notes. `subject` never holds a personal value
    (an external id's *key*, a line type). `counted` False: left out, and `rule` says why.
    """

    kind: str
    subject: str
    rule: str
    counted: bool
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Links:
    """What the decision wants linked to the call's customer, and which pairs were presented together with the ANI."""

    ani: bool = False
    external: tuple[tuple[str, str], ...] = ()
    sightings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is calling. `customer_ref` None: make a new customer. `found`: the candidate, also when ignored."""

    customer_ref: str | None
    identity: Identity
    basis: Basis
    links: Links
    evidence: tuple[Evidence, ...]
    would_raise: tuple[str, ...]
    policy_version: str
    line_type: LineType = LineType.UNKNOWN
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """What this call changed of who-is-who, so that a verdict or a re-link can take it back.

    Tokens are the store's blind indexes (hex), never numbers. `previous_*` None: there was nothing before.
    """

    created_customer: bool = False
    linked_ani: bool = False
    linked_external: tuple[str, ...] = ()
    previous_contact: Millis | None = None
    previous_ani_seen: Millis | None = None
    previous_line_type: LineType | None = None
    previous_line_type_at: Millis = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call as remembered.

    `started_at` is the first word we had of it. Three messages move it, each at most once and in any order:
    `greeted_at` (start: API start or voice webhook), `ended_at` (API end), `hung_up_at` (Twilio's terminal status).
    """

    call_id: str
    started_at: Millis
    customer_ref: str | None = None
    origin: Origin = Origin.API
    greeted_at: Millis | None = None
    hung_up_at: Millis | None = None
    ended_at: Millis | None = None
    basis: Basis = Basis.NEW
    identity: Identity | None = None
    evidence: tuple[Evidence, ...] = ()
    would_raise: tuple[str, ...] = ()
    policy_version: str = ""
    ani: str | None = None
    dnis: str | None = None
    line_type: LineType = LineType.UNKNOWN
    verdict: Verdict | None = None
    verdict_at: Millis | None = None
    undo: Undo = Undo()


# --- what is answered -----------------------------------------------------------------------------------------


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
