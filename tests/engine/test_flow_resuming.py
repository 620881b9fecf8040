"""Dropped calls that are taken up again, and what a call leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.engine.flow import CALLBACK_INTENT, HandOver, begin, go_on, hear, resumable, settlement
from adapter.engine.model import Call, IntentUpdate, Memory, Place, Talk
from tests.builders import NOW, a_line
from tests.engine.talks import (
    CALL,
    CONFIRM,
    IGNORE,
    REUSE,
    a_caller,
    a_full_line,
    a_memory,
    a_talk,
    a_turn,
    an_intent,
    facts,
    texts,
)

LINE = a_full_line()
BEFORE = "CA" + "b" * 32
MINUTE = 60_000


def a_call(talk: Talk | None, **changes: Any) -> Call:
    return Call(BEFORE, NOW - 5 * MINUTE, **{"hung_up_at": NOW - MINUTE, "talk": talk, **changes})


class TestResumable:
    @pytest.mark.parametrize("place", [place for place in Place if place is not Place.OVER])
    def test_a_call_that_broke_off_anywhere(self, place: Place) -> None:
        talk = resumable(LINE, a_call(a_talk(place, intent="refund")), NOW)
        assert talk == a_talk(place, intent="refund", attempt_of=BEFORE)

    def test_a_call_that_was_taken_up_itself_goes_on_with_the_first_attempt(self) -> None:
        talk = resumable(LINE, a_call(a_talk(Place.MENU, attempt_of="first")), NOW)
        assert talk is not None
        assert talk.attempt_of == "first"

    @pytest.mark.parametrize(("ago", "taken_up"), [(0, True), (10 * MINUTE, True), (10 * MINUTE + 1, False)])
    def test_within_the_minutes(self, ago: int, taken_up: bool) -> None:
        call = a_call(a_talk(Place.MENU), hung_up_at=NOW - ago)
        assert (resumable(LINE, call, NOW) is not None) is taken_up

    @pytest.mark.parametrize(
        ("line", "call"),
        [
            pytest.param(LINE, a_call(a_talk(Place.OVER)), id="over"),
            pytest.param(LINE, a_call(None), id="no talk"),
            pytest.param(LINE, a_call(a_talk(Place.MENU), hung_up_at=None), id="still going on"),
            pytest.param(LINE, a_call(a_talk(Place.MENU), ended_at=NOW), id="ended by the API"),
            pytest.param(a_full_line(resume_minutes=0), a_call(a_talk(Place.MENU), hung_up_at=NOW), id="never"),
            pytest.param(a_line(resume_minutes=10), a_call(a_talk(Place.HANDED_OVER)), id="a line that asks nothing"),
        ],
    )
    def test_no_other(self, line: Any, call: Call) -> None:
        assert resumable(line, call, NOW) is None


def taken_up(talk: Talk, recommendation: Any = REUSE, **known: Any) -> tuple[Talk, Any]:
    resumed = resumable(LINE, a_call(talk), NOW)
    assert resumed is not None
    return begin(LINE, a_caller(LINE, recommendation, **known), NOW, resumed)


class TestTakenUp:
    def test_the_menu_is_asked_with_the_tries_left(self) -> None:
        visited = (Place.LANGUAGE, Place.OFFER)
        talk, step = taken_up(a_talk(Place.MENU, turn=5, tries=1, visited=visited, language="de-DE"))
        assert texts(step)[:2] == ["resumed", "menu"]
        assert (talk.tries, talk.turn, step.turn, talk.language) == (1, 1, 1, "de-DE")
        assert (talk.attempt_of, talk.settled, talk.since) == (BEFORE, False, NOW)

    def test_the_language_is_asked_again_where_it_was_asked(self) -> None:
        _, step = taken_up(a_talk(Place.LANGUAGE))
        assert texts(step) == ["resumed", "ask_language", "ask_language"]

    def test_an_offer_without_an_answer_is_made_again(self) -> None:
        visited = (Place.LANGUAGE,)
        talk, step = taken_up(a_talk(Place.OFFER, offered=("refund", "new_order"), visited=visited, tries=1))
        assert (texts(step), facts(step, "offer")["intent"]) == (["resumed", "offer"], "new order")
        assert (talk.offered, talk.tries) == (("refund", "new_order"), 1)
        heard = hear(LINE, talk, a_turn("1"), (), NOW)
        assert heard.talk.intent == "new_order"

    def test_the_caller_is_put_through_at_once_who_was_already(self) -> None:
        before = a_talk(
            Place.HANDED_OVER,
            intent="refund",
            opened=("refund",),
            destination="mailbox",
            tried=("billing", "mailbox"),
            visited=(Place.LANGUAGE, Place.OFFER, Place.MENU),
        )
        memory = a_memory(an_intent("refund", 3, BEFORE))
        talk, step = taken_up(before, memory=memory)
        assert texts(step) == ["resumed", "connecting"]
        assert (talk.destination, talk.tried, talk.opened) == ("seniors", ("seniors",), ("refund",))
        assert isinstance(step.then, HandOver)
        assert dict(step.then.context)["attempt"] == "3"

    def test_the_same_attempt_does_not_escalate(self) -> None:
        before = a_talk(Place.HANDED_OVER, intent="refund", visited=(Place.LANGUAGE, Place.MENU))
        talk, _ = taken_up(before, memory=a_memory(an_intent("refund", 2, BEFORE)))
        assert talk.destination == "billing"

    def test_an_earlier_call_proves_nothing_of_this_ones_caller(self) -> None:
        before = a_talk(
            Place.MENU,
            visited=(Place.LANGUAGE, Place.WHO, Place.IDENTIFY, Place.CONFIRM, Place.OFFER),
            presented=("account", "1"),
        )
        talk, step = taken_up(before, CONFIRM, provable=True)
        assert texts(step) == ["resumed", "ask_pin"]
        assert talk.presented is None
        assert texts(taken_up(before, IGNORE, people=2, provable=True)[1])[1] == "ask_pin"
        assert texts(taken_up(before, IGNORE)[1])[1] == "ask_account"

    def test_wrong_answers_are_not_forgotten_by_ringing_back(self) -> None:
        before = a_talk(Place.CONFIRM, visited=(Place.LANGUAGE,), tries=2, wrong=2, since=NOW - 5 * MINUTE)
        talk, _ = taken_up(before, CONFIRM, provable=True)
        assert (talk.tries, talk.wrong, talk.since) == (2, 2, NOW)

    def test_then_on_where_it_broke_off(self) -> None:
        before = a_talk(Place.HANDED_OVER, visited=(Place.LANGUAGE, Place.MENU), intent="complaint")
        talk, _ = taken_up(before, CONFIRM, provable=True)
        talk, step = go_on(LINE, hear(LINE, talk, a_turn(), (), NOW).talk, a_caller(LINE, CONFIRM, provable=True), NOW)
        assert texts(step) == ["again", "ask_pin"]
        for _ in range(2):
            heard = hear(LINE, talk, a_turn(), (), NOW)
            talk, step = go_on(LINE, heard.talk, a_caller(LINE, CONFIRM, provable=True), NOW)
        assert texts(step) == ["not_verified", "voicemail"]

    def test_what_came_from_memory_is_forgotten_and_offered_again_once_it_may_be(self) -> None:
        before = a_talk(
            Place.HANDED_OVER,
            visited=(Place.LANGUAGE, Place.OFFER),
            intent="refund",
            offered=("refund",),
            opened=("refund",),
        )
        talk, _ = taken_up(before, CONFIRM, provable=True)
        assert (talk.intent, talk.offered, talk.opened, talk.visited) == ("", (), (), (Place.LANGUAGE,))
        verified = a_caller(LINE, REUSE, verified=True)
        heard = go_on(LINE, a_talk(Place.CONFIRM, visited=(*talk.visited, Place.CONFIRM)), verified, NOW)
        assert texts(heard[1]) == ["verified", "offer"]

    def test_what_the_caller_may_still_hear_is_not(self) -> None:
        visited = (Place.LANGUAGE, Place.OFFER)
        before = a_talk(Place.HANDED_OVER, visited=visited, intent="refund", offered=("refund",), opened=("refund",))
        talk, step = taken_up(before, REUSE)
        assert (talk.intent, talk.opened, texts(step)) == ("refund", ("refund",), ["resumed", "connecting"])

    def test_a_strangers_memory_is_not_taken_over(self) -> None:
        before = a_talk(Place.OFFER, intent="refund", offered=("refund",), opened=("refund", "complaint"))
        talk, _ = taken_up(before, IGNORE, memory=Memory())
        assert (talk.intent, talk.opened) == ("", ("complaint",))


class TestSettlement:
    def test_what_the_call_opened_stays_open(self) -> None:
        talk = a_talk(Place.OVER, opened=("refund", CALLBACK_INTENT))
        assert settlement(talk, ()) == (IntentUpdate("refund"), IntentUpdate(CALLBACK_INTENT))

    def test_unless_the_api_says_otherwise(self) -> None:
        talk = a_talk(Place.OVER, opened=("refund", "complaint"))
        assert settlement(talk, {"refund"}) == (IntentUpdate("complaint"),)

    def test_once(self) -> None:
        assert settlement(a_talk(Place.OVER, opened=("refund",), settled=True), ()) == ()

    def test_who_opened_nothing_leaves_nothing(self) -> None:
        assert settlement(a_talk(Place.MENU), ()) == ()


def test_two_calls_of_one_attempt_are_told_apart_by_nothing() -> None:
    first = a_talk(Place.HANDED_OVER, visited=(Place.LANGUAGE, Place.MENU), intent="refund", opened=("refund",))
    second, _ = taken_up(first, IGNORE, memory=Memory())
    again = resumable(LINE, Call(CALL, NOW, hung_up_at=NOW, talk=second), NOW)
    assert again is not None
    assert (again.attempt_of, again.opened) == (BEFORE, ("refund",))
