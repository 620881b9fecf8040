"""How far a caller is trusted on a shared number, and whose reference goes along with a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.flow import HandOver, begin, go_on, hear, whisper
from adapter.engine.model import Place, Talk
from tests.builders import NOW, a_line
from tests.engine.talks import (
    BY_NAME,
    BY_PIN,
    CONFIRM,
    DESTINATIONS,
    IGNORE,
    REF,
    REUSE,
    a_caller,
    a_full_line,
    a_talk,
    a_turn,
    texts,
)

SHARED: dict[str, Any] = {"people": 2, "provable": True}
TOLD = a_line(destination=DESTINATIONS["seniors"], confirm=BY_PIN)


def silent_at_who(line: Any) -> tuple[Talk, Any]:
    talk, step = begin(line, a_caller(line, REUSE, **SHARED), NOW)
    assert talk.place is Place.WHO
    while talk.place is Place.WHO:
        talk = hear(line, talk, a_turn(), (), NOW).talk
        # Once the question is done with, the use case does not count the people any more.
        known = a_caller(line, REUSE, **({} if Place.WHO in talk.visited else SHARED))
        talk, step = go_on(line, talk, known, NOW)
    return talk, step


@pytest.mark.parametrize("confirm", [BY_PIN, BY_NAME, replace(BY_PIN, always=True)])
def test_silence_on_a_shared_number_makes_nobody_known(confirm: Any) -> None:
    line = replace(TOLD, confirm=confirm)
    talk, step = silent_at_who(line)
    assert isinstance(step.then, HandOver)
    context = dict(step.then.context)
    assert (context["recommendation"], context["verified"]) == ("confirm", "no")
    told = whisper(line, talk, a_caller(line, REUSE))
    assert told is not None
    assert dict(told.says[0].facts) == {
        "name": None,
        "intent": None,
        "attempt": None,
        "recommendation": "confirm",
        "verified": 0,
    }
    assert "Maria" not in str((step, told))
    assert "refund" not in str((step, told))


def test_silence_on_a_shared_number_gets_no_offer() -> None:
    line = a_full_line(languages=())
    talk, step = silent_at_who(line)
    assert (talk.place, texts(step)[:2]) == (Place.MENU, ["not_verified", "menu"])


def test_who_is_locked_out_on_a_shared_number_is_not_known_either() -> None:
    _, step = begin(TOLD, a_caller(TOLD, REUSE, people=2, locked=True), NOW)
    assert texts(step) == ["confirm"]


@pytest.mark.parametrize("people", [{}, {"people": 2}])
def test_where_nothing_tells_people_apart_they_are_as_known_as_the_recommendation_says(people: Any) -> None:
    _, step = begin(TOLD, a_caller(TOLD, REUSE, **people), NOW)
    assert texts(step) == ["reuse"]


def test_who_shows_who_they_are_is_known() -> None:
    talk = a_talk(Place.WHO, visited=(Place.WHO,))
    _, step = go_on(TOLD, talk, a_caller(TOLD, REUSE, verified=True), NOW)
    assert "Maria" in str(step)


@pytest.mark.parametrize(
    ("recommendation", "known", "confirm", "handed_on"),
    [
        (REUSE, {}, None, True),
        (CONFIRM, {}, None, False),
        (CONFIRM, {}, BY_PIN, False),
        (CONFIRM, {"verified": True}, BY_PIN, True),
        (REUSE, {"locked": True}, replace(BY_PIN, always=True), False),
        (IGNORE, {}, None, True),
    ],
)
def test_a_customer_who_is_only_probable_is_not_handed_on(
    recommendation: Any, known: Any, confirm: Any, handed_on: bool
) -> None:
    """With an API key everything about them could be read by the reference."""
    line = replace(TOLD, confirm=confirm)
    _, step = begin(line, a_caller(line, recommendation, **known), NOW)
    assert isinstance(step.then, HandOver)
    assert (dict(step.then.context).get("customer_ref") == REF) is handed_on
    assert ("customer_ref" in dict(step.then.context)) is handed_on
