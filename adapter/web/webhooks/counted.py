"""What becomes of a call, told to the metrics: how callers were greeted, what they were asked, what they proved.

Nothing is told without metrics. Leaves out: how long it took (`web.timed`).
"""

from __future__ import annotations

from adapter.engine.flow import Effect, Identified, Refuted, Verified, WrongAnswer
from adapter.engine.line import Line
from adapter.metrics import Metrics
from adapter.usecases import Greeting, Taken
from adapter.usecases.receipt import step_name

_OUTCOMES: dict[type[Effect], str] = {
    Verified: "verified",
    Refuted: "refuted",
    WrongAnswer: "wrong_answer",
    Identified: "identified",
}


def count_greeting(metrics: Metrics | None, line: Line, greeting: Greeting) -> None:
    """The first step of a call. One that is given again, to a repeated webhook, is no second greeting."""
    if metrics is None or not (greeting.call or greeting.reason):
        return
    identity = greeting.call.identity if greeting.call is not None else None
    if identity is None or greeting.reason:
        metrics.greeted(line.organization, "neutral", greeting.reason, None)
    else:
        metrics.greeted(line.organization, identity.recommendation.value, "", identity.confidence)
    metrics.stepped(line.organization, step_name(greeting.step))


def count_turn(metrics: Metrics | None, line: Line, taken: Taken) -> None:
    """A further step, and what came of the answer before it."""
    if metrics is None or taken.call is None:
        return
    for effect in taken.effects:
        if type(effect) in _OUTCOMES:
            metrics.proved(line.organization, _OUTCOMES[type(effect)])
    metrics.stepped(line.organization, step_name(taken.step))
