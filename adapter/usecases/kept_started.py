"""Temporary: kept outcomes of the plain greeting, until the voice edge has moved."""

from __future__ import annotations

from typing import Any

from adapter.engine.model import (
    Ended,
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Recommendation,
    Started,
    Variable,
)

Plain = dict[str, Any]


def from_ended(ended: Ended) -> Plain:
    """Ended → JSON-able."""
    return {name: getattr(ended, name) for name in Ended.__slots__}


def to_ended(kept: Plain) -> Ended:
    """The very same outcome again."""
    return Ended(**kept)


def from_started(started: Started) -> Plain:
    """Started → JSON-able. Intents' resolutions are left out: no answer shows them."""
    identity, memory = started.identity, started.memory
    return {
        "call_id": started.call_id,
        "customer_ref": started.customer_ref,
        "call_start": started.call_start,
        "identity": [identity.confidence, identity.level, list(identity.sources), identity.recommendation],
        "intents": [
            [i.intent, i.status, i.attempt_count, i.opened_at, i.position, i.updated_at, i.last_call_id]
            for i in memory.open_intents
        ],
        "variables": [[getattr(v, name) for name in Variable.__slots__] for v in memory.variables],
    }


def to_started(kept: Plain) -> Started:
    """The very same outcome again."""
    confidence, level, sources, recommendation = kept["identity"]
    return Started(
        call_id=kept["call_id"],
        customer_ref=kept["customer_ref"],
        call_start=kept["call_start"],
        identity=Identity(confidence, Level(level), tuple(sources), Recommendation(recommendation)),
        memory=Memory(
            tuple(Intent(name, IntentStatus(status), *rest) for name, status, *rest in kept["intents"]),
            tuple(Variable(*fields) for fields in kept["variables"]),
        ),
    )
