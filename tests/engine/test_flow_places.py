"""Which question is asked when: each place's condition, and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.flow import Known
from adapter.engine.flow.places import ORDER, is_proving_due, next_place
from adapter.engine.line import Forget, Line, Offer, Spoken
from adapter.engine.model import Memory, Place, Talk
from tests.builders import a_line
from tests.engine.talks import (
    BY_NAME,
    BY_PIN,
    CONFIRM,
    ENGLISH,
    IDENTIFY,
    IGNORE,
    LANGUAGES,
    MENU,
    REUSE,
    a_caller,
    a_full_line,
    a_talk,
)

START = Talk(Place.LANGUAGE)
ALWAYS = replace(BY_PIN, always=True)


def following(line: Line, known: Known, **talk: Any) -> Place:
    return next_place(line, replace(START, **talk), known)


CASES = [
    # languages
    pytest.param({"languages": LANGUAGES}, IGNORE, {}, {}, Place.LANGUAGE, id="languages with keys"),
    pytest.param({"languages": LANGUAGES}, IGNORE, {}, {"language": "de-DE"}, Place.HANDED_OVER, id="one was chosen"),
    pytest.param(
        {"languages": LANGUAGES}, IGNORE, {}, {"visited": (Place.LANGUAGE,)}, Place.HANDED_OVER, id="none was chosen"
    ),
    pytest.param({"languages": (ENGLISH, Spoken("de"))}, IGNORE, {}, {}, Place.HANDED_OVER, id="one key alone"),
    # several people
    pytest.param({"confirm": BY_PIN}, IGNORE, {"people": 2, "provable": True}, {}, Place.WHO, id="two people"),
    pytest.param({"confirm": BY_PIN}, REUSE, {"people": 2, "provable": True}, {}, Place.WHO, id="two, one known"),
    pytest.param(
        {"confirm": BY_PIN}, IGNORE, {"people": 2}, {}, Place.HANDED_OVER, id="two people, nothing tells them apart"
    ),
    pytest.param({}, IGNORE, {"people": 2, "provable": True}, {}, Place.HANDED_OVER, id="two people, no confirm"),
    pytest.param(
        {"confirm": BY_PIN},
        CONFIRM,
        {"people": 2, "provable": True, "locked": True},
        {},
        Place.HANDED_OVER,
        id="two people, locked",
    ),
    pytest.param(
        {"confirm": BY_PIN},
        REUSE,
        {"people": 2, "provable": True, "verified": True},
        {},
        Place.HANDED_OVER,
        id="two people, verified",
    ),
    pytest.param(
        {"confirm": BY_PIN},
        CONFIRM,
        {"people": 2, "provable": True},
        {"place": Place.WHO, "visited": (Place.WHO,)},
        Place.HANDED_OVER,
        id="who was asked, so confirm is not",
    ),
    # identify
    pytest.param({"identify": IDENTIFY}, IGNORE, {}, {}, Place.IDENTIFY, id="nobody known"),
    pytest.param({"identify": IDENTIFY}, CONFIRM, {}, {}, Place.HANDED_OVER, id="somebody probable"),
    pytest.param({"identify": IDENTIFY}, REUSE, {}, {}, Place.HANDED_OVER, id="somebody known"),
    pytest.param(
        {"identify": IDENTIFY}, IGNORE, {}, {"visited": (Place.IDENTIFY,)}, Place.HANDED_OVER, id="named already"
    ),
    # confirm
    pytest.param({"confirm": BY_PIN}, CONFIRM, {"provable": True}, {}, Place.CONFIRM, id="probable and provable"),
    pytest.param({"confirm": BY_PIN}, CONFIRM, {}, {}, Place.HANDED_OVER, id="probable, nothing to prove it"),
    pytest.param({"confirm": BY_PIN}, REUSE, {"provable": True}, {}, Place.HANDED_OVER, id="known"),
    pytest.param({"confirm": ALWAYS}, REUSE, {"provable": True}, {}, Place.CONFIRM, id="known, but always"),
    pytest.param({"confirm": ALWAYS}, REUSE, {}, {}, Place.HANDED_OVER, id="always, nothing to prove it"),
    pytest.param({"confirm": ALWAYS}, IGNORE, {"provable": True}, {}, Place.HANDED_OVER, id="always, but nobody known"),
    pytest.param(
        {"confirm": BY_PIN}, CONFIRM, {"provable": True, "locked": True}, {}, Place.HANDED_OVER, id="locked number"
    ),
    pytest.param(
        {"confirm": BY_PIN}, CONFIRM, {"provable": True, "verified": True}, {}, Place.HANDED_OVER, id="verified already"
    ),
    pytest.param(
        {"confirm": BY_NAME, "speech": False},
        CONFIRM,
        {"provable": True},
        {},
        Place.HANDED_OVER,
        id="a name cannot be keyed in",
    ),
    pytest.param({"confirm": BY_PIN, "speech": False}, CONFIRM, {"provable": True}, {}, Place.CONFIRM, id="a PIN can"),
    *(
        pytest.param(
            {"confirm": BY_PIN},
            recommendation,
            {"provable": provable},
            {"presented": ("account", "1")},
            place,
            id=f"account named, {recommendation.value}, {'something' if provable else 'nothing'} to compare",
        )
        for recommendation, provable, place in [
            (IGNORE, False, Place.CONFIRM),
            (IGNORE, True, Place.CONFIRM),
            (CONFIRM, False, Place.CONFIRM),
            (CONFIRM, True, Place.CONFIRM),
            (REUSE, True, Place.HANDED_OVER),
        ]
    ),
    # offer
    pytest.param({"offer": Offer()}, REUSE, {}, {}, Place.OFFER, id="something left open"),
    pytest.param({"offer": Offer()}, CONFIRM, {}, {}, Place.HANDED_OVER, id="not for their ears"),
    pytest.param({"offer": Offer()}, IGNORE, {}, {}, Place.HANDED_OVER, id="nobody's"),
    pytest.param({"offer": Offer()}, REUSE, {"memory": Memory()}, {}, Place.HANDED_OVER, id="nothing left open"),
    pytest.param(
        {"offer": Offer(3), "forget": Forget("refund")},
        REUSE,
        {},
        {"offered": ("new_order",)},
        Place.HANDED_OVER,
        id="not to be forgotten",
    ),
    pytest.param({"offer": Offer()}, REUSE, {}, {"offered": ("refund",)}, Place.HANDED_OVER, id="one at most"),
    pytest.param({"offer": Offer(2)}, REUSE, {}, {"offered": ("refund",)}, Place.OFFER, id="two at most"),
    pytest.param(
        {"offer": Offer(3)}, REUSE, {}, {"offered": ("refund", "new_order")}, Place.HANDED_OVER, id="no further one"
    ),
    pytest.param({"offer": Offer()}, REUSE, {}, {"intent": "refund"}, Place.HANDED_OVER, id="known what it is about"),
    pytest.param({}, REUSE, {}, {}, Place.HANDED_OVER, id="no offer configured"),
    # menu
    pytest.param({"menu": MENU}, IGNORE, {}, {}, Place.MENU, id="nobody knows what it is about"),
    pytest.param({"menu": MENU}, IGNORE, {}, {"intent": "refund"}, Place.HANDED_OVER, id="somebody does"),
    pytest.param({"menu": MENU}, IGNORE, {}, {"visited": (Place.MENU,)}, Place.HANDED_OVER, id="asked in vain"),
]


@pytest.mark.parametrize(("parts", "recommendation", "known", "talk", "place"), CASES)
def test_each_question_has_its_condition(
    parts: dict[str, Any], recommendation: Any, known: dict[str, Any], talk: dict[str, Any], place: Place
) -> None:
    line = a_line(**parts)
    assert following(line, a_caller(line, recommendation, **known), **talk) is place


def test_the_questions_have_an_order() -> None:
    assert [question.place for question in ORDER] == [
        Place.LANGUAGE,
        Place.WHO,
        Place.IDENTIFY,
        Place.CONFIRM,
        Place.OFFER,
        Place.MENU,
        Place.FORGET,
    ]


@pytest.mark.parametrize(
    ("recommendation", "people", "places"),
    [
        (IGNORE, 1, [Place.LANGUAGE, Place.IDENTIFY, Place.MENU]),
        (CONFIRM, 1, [Place.LANGUAGE, Place.CONFIRM, Place.MENU]),
        (REUSE, 1, [Place.LANGUAGE, Place.OFFER, Place.MENU]),
        (IGNORE, 2, [Place.LANGUAGE, Place.WHO, Place.IDENTIFY, Place.MENU]),
        (REUSE, 2, [Place.LANGUAGE, Place.WHO, Place.OFFER, Place.MENU]),
    ],
)
def test_they_are_walked_through_in_this_order(recommendation: Any, people: int, places: list[Place]) -> None:
    line = a_full_line()
    known, talk, walked = a_caller(line, recommendation, people=people, provable=True), START, []
    while (place := next_place(line, talk, known)) is not Place.HANDED_OVER:
        walked.append(place)
        talk = replace(talk, place=place, visited=(*talk.visited, place))
    assert walked == places


def test_no_earlier_question_is_come_back_to() -> None:
    line = a_full_line()
    nobody = a_caller(line, IGNORE, people=2, provable=True)
    assert next_place(line, a_talk(Place.CONFIRM, visited=(Place.CONFIRM,)), nobody) is Place.MENU


@pytest.mark.parametrize(
    ("recommendation", "people", "due"), [(REUSE, 1, False), (REUSE, 2, True), (CONFIRM, 1, True), (IGNORE, 1, False)]
)
def test_who_is_still_to_show_who_they_are(recommendation: Any, people: int, due: bool) -> None:
    line = a_full_line()
    assert is_proving_due(line, START, a_caller(line, recommendation, people=people, provable=True)) is due
