"""What was decided, as a plain mapping: the receipt beside a recorded answer. Pure; nothing in it is a number or a name
of a caller's. Leaves out: how it is written and compared (`replay`)."""

from __future__ import annotations

from typing import Any

from adapter.engine.flow.steps import Ask, HandOver, Record, Step
from adapter.engine.model import Call, Identity, Verdict


def receipt(step: Step, call: Call | None, reason: str = "") -> dict[str, Any]:
    """`call`: as it was after the step; None: the step was made without memory, or is given once more.

    Keys: step, destination (kind and target of where the call is put through to), reason (why the caller was greeted as
    nobody); of a call also recommendation, confidence, level, sources, rules (with their weights), place, intent and
    verified.
    """
    told: dict[str, Any] = {"step": step_name(step), "turn": step.turn}
    if reason:
        told["reason"] = reason
    if isinstance(step.then, HandOver):
        target = step.then.destination
        told["destination"] = f"{target.kind.value} {target.target}".rstrip()
    if call is not None:
        told |= _of_call(call)
    return told


def _of_call(call: Call) -> dict[str, Any]:
    told: dict[str, Any] = {"verified": call.verdict is Verdict.CONFIRMED}
    if call.identity is not None:
        told |= _of_identity(call.identity)
        told["rules"] = [{"rule": each.rule, "weight": each.weight} for each in call.evidence if each.counted]
    if call.talk is not None:
        told |= {"place": call.talk.place.value, "intent": call.talk.intent}
    return told


def _of_identity(identity: Identity) -> dict[str, Any]:
    return {
        "recommendation": identity.recommendation.value,
        "confidence": identity.confidence,
        "level": identity.level.value,
        "sources": list(identity.sources),
    }


def step_name(step: Step) -> str:
    """What a step does in the end: ask, hand_over, record, hang_up."""
    match step.then:
        case Ask():
            return "ask"
        case HandOver():
            return "hand_over"
        case Record():
            return "record"
        case _:
            return "hang_up"
