"""What callers hear when we know nothing: of who they are, or of the call itself."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.engine.flow import (
    HandOver,
    HangUp,
    Record,
    Say,
    Step,
    after_unknown_turn,
    neutral,
    nobody_left,
    unknown_turn,
)
from adapter.engine.line import DEFAULT, Destination, DestinationKind
from adapter.engine.model import Outcome, Place, Turn
from tests.builders import a_line
from tests.engine.talks import LANGUAGES, a_full_line, a_talk, a_turn, texts

LINE = a_full_line()


def test_nobody_is_greeted_as_anybody_and_put_through() -> None:
    step = neutral(LINE)
    assert step == Step((Say("neutral", "en-US", {}, "Polly.Joanna"),), HandOver(LINE.destination), turn=0)


@pytest.mark.parametrize(
    ("kind", "said", "then"),
    [
        (DestinationKind.HANGUP, ["neutral"], HangUp()),
        (DestinationKind.VOICEMAIL, ["neutral", "voicemail"], Record()),
        (DestinationKind.CALLBACK, ["unreached"], HangUp()),
    ],
)
def test_where_nobody_is_rung(kind: DestinationKind, said: list[str], then: Any) -> None:
    step = neutral(a_line(destination=Destination(kind)))
    assert (texts(step), step.then, step.turn) == (said, then, 0)


def test_nobody_is_left() -> None:
    step = nobody_left(a_line(languages=LANGUAGES[1:]))
    assert step == Step((Say("unreached", "de-DE", {}, "Polly.Vicki"),), HangUp(), turn=0)


@pytest.mark.parametrize(
    ("turn", "said", "then"),
    [
        (a_turn(), ["neutral"], HandOver(LINE.destination)),
        (a_turn("1", "refund"), ["neutral"], HandOver(LINE.destination)),
        (a_turn(recorded=True), ["recorded"], HangUp()),
        (a_turn(outcome=Outcome.ANSWERED), [], HangUp()),
        *((a_turn(outcome=outcome), ["unreached"], HangUp()) for outcome in Outcome if outcome is not Outcome.ANSWERED),
    ],
)
def test_nobody_is_rung_after_an_outcome_of_a_call_that_we_do_not_know(turn: Turn, said: list[str], then: Any) -> None:
    step = unknown_turn(LINE, turn)
    assert (texts(step), step.then, step.turn) == (said, then, 0)


@pytest.mark.parametrize(
    ("turn", "place"),
    [
        (a_turn("1"), Place.HANDED_OVER),
        (a_turn(), Place.HANDED_OVER),
        (a_turn(outcome=Outcome.BUSY), Place.OVER),
        (a_turn(outcome=Outcome.ANSWERED), Place.OVER),
        (a_turn(recorded=True), Place.OVER),
    ],
)
def test_afterwards_the_talk_stands_where_that_answer_has_led(turn: Turn, place: Place) -> None:
    talk = after_unknown_turn(a_talk(Place.MENU, turn=3, intent="refund"), turn)
    assert (talk.place, talk.turn, talk.intent) == (place, 4, "refund")
    assert talk.tried == ((DEFAULT,) if place is Place.HANDED_OVER else ())
