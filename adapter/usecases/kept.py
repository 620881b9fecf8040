"""Outcomes as plain values and back, for answers that are kept and given again (semantics §7, §9)."""

from __future__ import annotations

from typing import Any

from adapter.engine.flow.steps import Ask, HandOver, HangUp, Record, Say, Step
from adapter.engine.line import Destination, DestinationKind
from adapter.engine.model import Ended, Outcome

Plain = dict[str, Any]


def from_ended(ended: Ended) -> Plain:
    """Ended → JSON-able."""
    return {name: getattr(ended, name) for name in Ended.__slots__}


def to_ended(kept: Plain) -> Ended:
    """The very same outcome again."""
    return Ended(**kept)


def from_step(step: Step) -> Plain:
    """Step → JSON-able."""
    says = [[say.text, say.language, dict(say.facts), say.voice] for say in step.says]
    return {"says": says, "then": _from_then(step.then), "turn": step.turn}


def to_step(kept: Plain) -> Step | None:
    """The very same step again. None: it was kept by a version that kept something else."""
    if "says" not in kept:
        return None
    says = tuple(Say(text, language, facts, voice) for text, language, facts, voice in kept["says"])
    return Step(says, _to_then(*kept["then"]), kept["turn"])


def _from_then(then: Ask | HandOver | Record | HangUp) -> list[Any]:
    match then:
        case Ask():
            return ["ask", then.digits, then.speech, list(then.hints), then.timeout_seconds]
        case HandOver():
            return ["hand_over", _from_destination(then.destination), [list(pair) for pair in then.context]]
        case Record():
            return ["record", then.seconds]
        case HangUp():
            return ["hang_up"]


def _to_then(kind: str, *fields: Any) -> Ask | HandOver | Record | HangUp:
    if kind == "ask":
        digits, speech, hints, timeout_seconds = fields
        return Ask(digits, speech, tuple(hints), timeout_seconds)
    if kind == "hand_over":
        destination, context = fields
        return HandOver(_to_destination(*destination), tuple((name, value) for name, value in context))
    return Record(*fields) if kind == "record" else HangUp()


def _from_destination(to: Destination) -> list[Any]:
    """The whole of it: a configuration that changes between two webhooks must not change the answer given twice."""
    return [to.kind.value, to.target, to.timeout_seconds, to.whisper, to.accept, dict(to.after), to.caller_id]


def _to_destination(
    kind: str, target: str, seconds: int, whisper: bool, accept: bool, after: Plain, caller_id: str = ""
) -> Destination:
    """`caller_id`: what an earlier version kept has none."""
    known = {Outcome(outcome): name for outcome, name in after.items()}
    return Destination(DestinationKind(kind), target, seconds, whisper, accept, known, caller_id)
