"""What was found: what the store remembers, as the engine wants to see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .words import IntentStatus, LineType, Millis


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
    """A remembered variable, gone at the millisecond `expires_at`. (created_at, position): its place in answers."""

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
