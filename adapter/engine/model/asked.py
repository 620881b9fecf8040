"""Who asks, and what is asked: principals and commands."""

from __future__ import annotations

from dataclasses import dataclass

from .words import Distrust, IntentStatus, LineType, Millis, Mode, Origin


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
class Organization:
    """A tenant of the configuration: how fast it may ask, and how much in a month (semantics §1, §3, §4)."""

    id: str
    tier: Tier
    plan: Plan


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, already authenticated."""

    organization: str
    organization_number: int
    mode: Mode
    realm: Realm
    tier: Tier
    plan: Plan


@dataclass(frozen=True, slots=True)
class Hints:
    """What a caller presents. `ani` is E.164 or None; `ani_note` says why there is none (for the explanation).

    `forwarded`: somebody's telephone sent the call on to us. `distrust`: the line demands a signed caller ID, or calls
    that nobody forwarded, and this call is not such a one (semantics §9): no `reuse`.
    """

    ani: str | None = None
    dnis: str | None = None
    external_ids: tuple[tuple[str, str], ...] = ()
    customer_ref: str | None = None
    line_type: LineType | None = None
    ani_note: str | None = None
    forwarded: bool = False
    distrust: Distrust | None = None


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
    """Reference, POST /v1/calls/end, simple and advanced form already merged. `hints` None: none were sent.

    `line_type`: what was found out about the caller's line during the call (telco, as in a start).
    """

    call_id: str
    customer_ref: str | None = None
    hints: Hints | None = None
    line_type: LineType | None = None
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
    """The header's value and the fingerprints of the body it came with (keyed hashes, hex; the first is kept)."""

    key: str
    fingerprints: tuple[str, ...]
