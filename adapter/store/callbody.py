"""The sealed part of a call's row, as compact JSON: short lists in the order of the fields, absent means the default.

A field added later gets a new name with a default, so that rows written before can still be read; and at the top, so
that the version before can still read what is written now.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from adapter.engine.line import DEFAULT
from adapter.engine.model import (
    Basis,
    Call,
    Distrust,
    Evidence,
    Identity,
    Intent,
    IntentStatus,
    Level,
    LineType,
    Millis,
    Origin,
    Place,
    Recommendation,
    Talk,
    Undo,
    Variable,
    Verdict,
)

# The order is stored: append only.
_PLACES = (
    Place.LANGUAGE,
    Place.WHO,
    Place.IDENTIFY,
    Place.CONFIRM,
    Place.OFFER,
    Place.MENU,
    Place.HANDED_OVER,
    Place.VOICEMAIL,
    Place.OVER,
    Place.FORGET,
)


class Columns(NamedTuple):
    """The part of a call that lies in columns."""

    call_id: str
    started_at: Millis
    customer_ref: str | None
    greeted_at: Millis | None
    hung_up_at: Millis | None
    ended_at: Millis | None
    origin: str
    verdict: str | None


def encode(call: Call) -> str:
    """Everything that is not in `Columns`."""
    body = {
        "basis": call.basis.value,
        "identity": _identity_fields(call.identity),
        "evidence": [[e.kind, e.subject, e.rule, int(e.counted), e.weight] for e in call.evidence],
        "raise": call.would_raise,
        "policy": call.policy_version,
        "ani": call.ani,
        "dnis": call.dnis,
        "line": call.line_type.value,
        "verdict_at": call.verdict_at,
        "undo": _undo_fields(call.undo),
        "seen_at": call.undo.seen_at,
        "told_until": call.undo.told_until,
        "distrust": call.distrust,
        "talk": _talk_fields(call),
        # Beside the talk, whose fields a version before this one would not know.
        "counted": call.talk.counted if call.talk else (),
    }
    return json.dumps({name: value for name, value in body.items() if value}, separators=(",", ":"))


def decode(columns: Columns, text: str) -> Call:
    """The whole call."""
    body: dict[str, Any] = json.loads(text)
    return Call(
        call_id=columns.call_id,
        started_at=columns.started_at,
        customer_ref=columns.customer_ref,
        origin=Origin(columns.origin),
        greeted_at=columns.greeted_at,
        hung_up_at=columns.hung_up_at,
        ended_at=columns.ended_at,
        basis=Basis(body["basis"]),
        identity=_identity(body.get("identity")),
        evidence=tuple(Evidence(k, s, r, bool(counted), w) for k, s, r, counted, w in body.get("evidence", ())),
        would_raise=tuple(body.get("raise", ())),
        policy_version=body.get("policy", ""),
        ani=body.get("ani"),
        dnis=body.get("dnis"),
        line_type=LineType(body["line"]),
        verdict=None if columns.verdict is None else Verdict(columns.verdict),
        verdict_at=body.get("verdict_at"),
        undo=_undo(body.get("undo"), body.get("seen_at"), body.get("told_until", ())),
        distrust=None if body.get("distrust") is None else Distrust(body["distrust"]),
        talk=_talk(body.get("talk"), columns.started_at, body.get("counted", ())),
    )


def _identity_fields(identity: Identity | None) -> list[Any] | None:
    if identity is None:
        return None
    return [identity.confidence, identity.level.value, identity.sources, identity.recommendation.value]


def _identity(row: list[Any] | None) -> Identity | None:
    if row is None:
        return None
    confidence, level, sources, recommendation = row
    return Identity(confidence, Level(level), tuple(sources), Recommendation(recommendation))


def _undo_fields(undo: Undo) -> list[Any] | None:
    if undo == Undo():
        return None
    return [
        int(undo.created_customer),
        int(undo.linked_ani),
        undo.linked_external,
        undo.previous_contact,
        undo.previous_ani_seen,
        None if undo.previous_line_type is None else undo.previous_line_type.value,
        undo.previous_line_type_at,
        undo.presented,
        *_written_fields(undo),
    ]


def _written_fields(undo: Undo) -> list[Any]:
    """What a conversation wrote; most write nothing."""
    if not undo.intents and not undo.variables:
        return []
    return [
        [_before_fields(name, intent) for name, intent in undo.intents],
        [_before_fields(name, variable) for name, variable in undo.variables],
    ]


def _before_fields(name: str, before: Intent | Variable | None) -> list[Any]:
    if before is None:
        return [name]
    return [getattr(before, field.name) for field in fields(before)]


def _intent(row: list[Any]) -> tuple[str, Intent | None]:
    name, *rest = row
    return name, Intent(name, IntentStatus(rest[0]), *rest[1:]) if rest else None


def _variable(row: list[Any]) -> tuple[str, Variable | None]:
    return row[0], Variable(*row) if len(row) > 1 else None


def _undo(row: list[Any] | None, seen_at: Millis | None, told_until: Sequence[Millis]) -> Undo:
    if row is None:
        return Undo()
    created, linked_ani, external, contact, ani_seen, line_type, line_type_at, presented, *written = row
    return Undo(
        created_customer=bool(created),
        linked_ani=bool(linked_ani),
        linked_external=tuple(external),
        presented=tuple(presented),
        previous_contact=contact,
        seen_at=seen_at,
        previous_ani_seen=ani_seen,
        previous_line_type=None if line_type is None else LineType(line_type),
        previous_line_type_at=line_type_at,
        intents=tuple(_intent(each) for each in written[0]) if written else (),
        variables=tuple(_variable(each) for each in written[1]) if written else (),
        told_until=tuple(told_until),
    )


def _talk_fields(call: Call) -> list[Any] | None:
    """Place, turn, and since when (counted from the call's start), then what differs from the default, by name.

    Most calls are put through at once: theirs is one number.
    """
    talk = call.talk
    if talk is None:
        return None
    bare = Talk(talk.place, talk.turn, since=talk.since, tried=_usually_tried(talk.place), counted=talk.counted)
    changed = {} if talk == bare else _differing(talk, bare)
    if talk.visited:
        changed["visited"] = [_PLACES.index(place) for place in talk.visited]
    row = [_PLACES.index(talk.place), talk.turn, talk.since - call.started_at, changed]
    while row[-1] == (_PLAIN_TALK[len(row) - 1]):
        row.pop()
    return row


def _differing(talk: Talk, bare: Talk) -> dict[str, Any]:
    values = ((field.name, getattr(talk, field.name), getattr(bare, field.name)) for field in fields(Talk))
    return {name: value for name, value, usual in values if value != usual}


def _usually_tried(place: Place) -> tuple[str, ...]:
    """Who was handed over was so to the default destination, mostly."""
    return (DEFAULT,) if place is Place.HANDED_OVER else ()


# A call that was put through at its start. The place is always written.
_PLAIN_TALK: list[Any] = [None, 1, 0, {}]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def _talk(row: list[Any] | None, started_at: Millis, counted: Sequence[str]) -> Talk | None:
    if row is None:
        return None
    place, turn, since, changed = (*row, *_PLAIN_TALK[len(row) :])
    named: dict[str, Any] = {name: _tuples(value) for name, value in changed.items()}
    if "visited" in named:
        named["visited"] = tuple(_PLACES[number] for number in named["visited"])
    tried = named.pop("tried", _usually_tried(_PLACES[place]))
    return Talk(_PLACES[place], turn, since=started_at + since, tried=tried, counted=tuple(counted), **named)
