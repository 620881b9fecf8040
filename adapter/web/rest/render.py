"""Outcomes as the reference's JSON: its names, its order, its types (reference, Response; semantics §8).

Pure: values in, dicts and bytes out; no Flask. Leaves out: denials and errors (`problems`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from adapter.engine.model import Call, Ended, Evidence, Identity, Intent, Millis, Started, Talk, Variable, Verdict

from .words import SENTENCES, WAYS_UP

Json = dict[str, Any]


class CustomerExport(Protocol):
    """What is read of a customer's record."""

    @property
    def customer_ref(self) -> str: ...
    @property
    def created_at(self) -> Millis: ...
    @property
    def last_contact(self) -> Millis: ...
    @property
    def numbers(self) -> Sequence[tuple[str, str | None, Millis]]: ...
    @property
    def external_ids(self) -> Sequence[tuple[str, str]]: ...
    @property
    def intents(self) -> Sequence[Intent]: ...
    @property
    def variables(self) -> Sequence[Variable]: ...
    @property
    def calls(self) -> Sequence[Call]: ...


class ErasureReceipt(Protocol):
    """What is read of an erasure."""

    @property
    def customer_ref(self) -> str: ...
    @property
    def erased_at(self) -> Millis: ...


def to_bytes(body: Mapping[str, Any]) -> bytes:
    """Compact UTF-8, names in the order given."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def timestamp(at: Millis) -> str:
    """ISO 8601 as the reference prints it: 2026-02-07T10:30:00.000Z."""
    seconds, millis = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def started(outcome: Started) -> Json:
    """Answer to a start or a verdict."""
    return {
        "call_id": outcome.call_id,
        "customer_ref": outcome.customer_ref,
        "call_start": timestamp(outcome.call_start),
        "identity": _identity(outcome.identity),
        "open_intents": [_open_intent(intent) for intent in outcome.memory.open_intents],
        "variables": _variables(outcome.memory.variables),
    }


def ended(outcome: Ended) -> Json:
    """Answer to an end."""
    return {
        "call_id": outcome.call_id,
        "customer_ref": outcome.customer_ref,
        "call_start": timestamp(outcome.call_start),
        "call_end": timestamp(outcome.call_end),
        "duration_seconds": outcome.duration_seconds,
        "intents_updated": outcome.intents_updated,
        "variables_updated": outcome.variables_updated,
    }


def call(outcome: Call) -> Json:
    """GET /v1/calls/{call_id}: the call, why it was recognized as it was, and what happened when."""
    return {
        "call_id": outcome.call_id,
        "customer_ref": outcome.customer_ref,
        "origin": outcome.origin.value,
        "call_start": timestamp(outcome.started_at),
        "ani": outcome.ani,
        "dnis": outcome.dnis,
        "line_type": outcome.line_type.value,
        "identity": None if outcome.identity is None else _identity(outcome.identity),
        "explanation": _explanation(outcome),
        "timeline": _timeline(outcome),
        "conversation": None if outcome.talk is None else _conversation(outcome, outcome.talk),
    }


def customer(outcome: CustomerExport) -> Json:
    """GET /v1/customers/{customer_ref}: everything stored of a customer."""
    return {
        "customer_ref": outcome.customer_ref,
        "created_at": timestamp(outcome.created_at),
        "last_contact": timestamp(outcome.last_contact),
        "numbers": [
            {"ani": ani, "line_type": line_type or "unknown", "last_seen": timestamp(last_seen)}
            for ani, line_type, last_seen in outcome.numbers
        ],
        "external_ids": [{"key": key, "value": value} for key, value in outcome.external_ids],
        "intents": [_intent(intent) for intent in outcome.intents],
        "variables": {variable.name: _stored_variable(variable) for variable in outcome.variables},
        "calls": [call(each) for each in outcome.calls],
    }


def erased(outcome: ErasureReceipt) -> Json:
    """DELETE /v1/customers/{customer_ref}."""
    return {"customer_ref": outcome.customer_ref, "erased_at": timestamp(outcome.erased_at)}


def health(healthy: bool, now: Millis) -> Json:
    """GET /v1/health."""
    return {
        "status": "healthy" if healthy else "unhealthy",
        "timestamp": timestamp(now),
        "database": "connected" if healthy else "disconnected",
    }


def _identity(identity: Identity) -> Json:
    return {
        # The reference prints a new customer's confidence as 0, not 0.0.
        "confidence": identity.confidence or 0,
        "level": identity.level.value,
        "sources": list(identity.sources),
        "recommendation": identity.recommendation.value,
    }


def _open_intent(intent: Intent) -> Json:
    return {"intent": intent.intent, "status": intent.status.value, "attempt_count": intent.attempt_count}


def _intent(intent: Intent) -> Json:
    return {
        **_open_intent(intent),
        "opened_at": timestamp(intent.opened_at),
        "updated_at": timestamp(intent.updated_at),
        "last_call_id": intent.last_call_id,
        "resolution": intent.resolution,
    }


def _variables(variables: Iterable[Variable]) -> Json:
    return {variable.name: _variable(variable) for variable in variables}


def _variable(variable: Variable) -> Json:
    return {"value": variable.value, "source": variable.source, "ttl_seconds": variable.ttl_seconds}


def _stored_variable(variable: Variable) -> Json:
    return {
        **_variable(variable),
        "created_at": timestamp(variable.created_at),
        "expires_at": timestamp(variable.expires_at),
    }


def _explanation(outcome: Call) -> Json:
    return {
        "basis": outcome.basis.value,
        "evidence": [_evidence(line) for line in outcome.evidence],
        "would_have_raised": [{"by": way, "text": WAYS_UP.get(way, way)} for way in outcome.would_raise],
        "policy_version": outcome.policy_version,
    }


def _evidence(line: Evidence) -> Json:
    return {
        "kind": line.kind,
        "subject": line.subject,
        "rule": line.rule,
        "counted": line.counted,
        "weight": line.weight or 0,
        "text": SENTENCES.get(line.rule, line.rule),
    }


def _conversation(outcome: Call, talk: Talk) -> Json:
    """What was found out by asking; never what the caller answered with."""
    return {
        "place": talk.place.value,
        "language": talk.language or None,
        "verified": outcome.verdict is Verdict.CONFIRMED,
        "intent": talk.intent or None,
        "opened_intents": list(talk.opened),
        "destination": (talk.destination or "default") if talk.tried else None,
        "attempt_of": talk.attempt_of or None,
    }


def _timeline(outcome: Call) -> list[Json]:
    verdict = f"verdict_{outcome.verdict.value}" if outcome.verdict else "verdict"
    events = (
        ("greeted", outcome.greeted_at),
        (verdict, outcome.verdict_at),
        ("hung_up", outcome.hung_up_at),
        ("ended", outcome.ended_at),
    )
    told = sorted(((at, event) for event, at in events if at is not None), key=lambda moment: moment[0])
    return [{"at": timestamp(at), "event": event} for at, event in told]
