"""The receipt of a decision: what was recommended and why, which step, and where to."""

from __future__ import annotations

import pytest

from adapter.engine.flow.steps import Ask, HandOver, HangUp, Record, Step
from adapter.engine.line import Destination, DestinationKind
from adapter.engine.model import Call, Evidence, Identity, Level, Place, Recommendation, Talk, Verdict
from adapter.usecases.receipt import receipt

QUEUE = Destination(DestinationKind.QUEUE, "support")


@pytest.mark.parametrize(
    ("then", "named"),
    [(Ask(), "ask"), (HandOver(QUEUE), "hand_over"), (Record(), "record"), (HangUp(), "hang_up")],
    ids=["ask", "hand over", "record", "hang up"],
)
def test_every_step_has_its_name(then: Ask | HandOver | Record | HangUp, named: str) -> None:
    assert receipt(Step((), then, 3), None)["step"] == named


def test_without_memory_there_is_the_step_and_the_reason() -> None:
    told = receipt(Step((), HandOver(QUEUE)), None, "quota")
    assert told == {"step": "hand_over", "turn": 0, "reason": "quota", "destination": "queue support"}


def test_a_destination_that_is_a_word_is_told_as_it_is() -> None:
    assert receipt(Step((), HandOver(Destination(DestinationKind.HANGUP, ""))), None)["destination"] == "hangup"


def test_a_call_tells_who_it_is_thought_to_be_and_why_and_no_personal_value() -> None:
    identity = Identity(0.5, Level.MEDIUM, ("ani:mobile",), Recommendation.REUSE)
    counted, left_out = (Evidence("ani", "mobile", "ani.known", each, 0.5) for each in (True, False))
    talk = Talk(Place.MENU, intent="refund_request")
    call = Call(
        "CA1",
        0,
        customer_ref="ref",
        ani="+14155550123",
        identity=identity,
        evidence=(counted, left_out),
        talk=talk,
        verdict=Verdict.CONFIRMED,
    )
    assert receipt(Step((), Ask(), 2), call) == {
        "step": "ask",
        "turn": 2,
        "verified": True,
        "recommendation": "reuse",
        "confidence": 0.5,
        "level": "medium",
        "sources": ["ani:mobile"],
        "rules": [{"rule": "ani.known", "weight": 0.5}],
        "place": "menu",
        "intent": "refund_request",
    }
