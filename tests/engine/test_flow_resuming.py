"""Dropped calls that are taken up again, and what a call leaves open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.flow import (
    CALLBACK_INTENT,
    HandOver,
    Proof,
    Refuted,
    begin,
    estranged,
    go_on,
    hear,
    resumable,
    settlement,
    whisper,
)
from adapter.engine.line import Disclosure, DisclosureRules
from adapter.engine.model import Call, IntentUpdate, Memory, Place, Talk
from tests.builders import NOW, a_line
from tests.engine.talks import (
    CALL,
    CONFIRM,
    DESTINATIONS,
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
        assert texts(step) == ["welcome", "ask_pin"]
        assert talk.presented is None
        assert texts(taken_up(before, IGNORE, people=2, provable=True)[1]) == ["welcome", "ask_pin"]
        assert texts(taken_up(before, IGNORE)[1]) == ["welcome", "ask_account"]

    def test_wrong_answers_are_not_forgotten_by_ringing_back(self) -> None:
        before = a_talk(Place.CONFIRM, visited=(Place.LANGUAGE,), tries=2, wrong=2, since=NOW - 5 * MINUTE)
        talk, _ = taken_up(before, CONFIRM, provable=True)
        assert (talk.tries, talk.wrong, talk.since) == (2, 2, NOW)

    @pytest.mark.parametrize(
        ("recommendation", "known", "said"),
        [
            (REUSE, {}, "resumed"),
            (REUSE, {"locked": True}, "resumed"),
            (REUSE, {"people": 2, "provable": True}, "welcome"),
            (CONFIRM, {"provable": True}, "welcome"),
            (CONFIRM, {"locked": True}, "welcome"),
            (CONFIRM, {}, "resumed"),
            (IGNORE, {}, "welcome"),
            (IGNORE, {"locked": True}, "welcome"),
        ],
    )
    def test_that_the_number_called_before_is_told_to_nobody_who_is_still_to_prove_something(
        self, recommendation: Any, known: Any, said: str
    ) -> None:
        before = a_talk(Place.MENU, visited=(Place.LANGUAGE, Place.OFFER))
        _, step = taken_up(before, recommendation, **known)
        assert texts(step)[0] == said

    def test_nor_to_who_is_new_on_a_line_that_asks_for_no_account(self) -> None:
        line = a_full_line(identify=None)
        resumed = resumable(line, a_call(a_talk(Place.HANDED_OVER, opened=("refund",), intent="refund")), NOW)
        talk, step = begin(line, a_caller(line, IGNORE, memory=Memory()), NOW, resumed)
        assert "resumed" not in texts(step)
        assert (talk.intent, talk.opened) == ("", ())

    def test_what_came_from_memory_counts_again_once_it_may(self) -> None:
        talk, _ = taken_up(CHOSEN, CONFIRM, provable=True)
        assert (talk.intent, talk.offered, talk.opened, talk.visited) == ("", (), (), (Place.LANGUAGE,))
        talk, step = verified(talk)
        assert texts(step) == ["verified", "connecting"]
        assert (talk.intent, talk.opened, talk.destination) == ("refund", ("refund",), "seniors")

    def test_what_the_caller_may_still_hear_is_not(self) -> None:
        visited = (Place.LANGUAGE, Place.OFFER)
        before = a_talk(Place.HANDED_OVER, visited=visited, intent="refund", offered=("refund",), opened=("refund",))
        talk, step = taken_up(before, REUSE)
        assert (talk.intent, talk.opened, texts(step)) == ("refund", ("refund",), ["resumed", "connecting"])

    def test_a_strangers_memory_is_not_taken_over(self) -> None:
        before = a_talk(Place.OFFER, intent="refund", offered=("refund",), opened=("refund", "complaint"))
        talk, _ = taken_up(before, IGNORE, memory=Memory())
        assert (talk.intent, talk.opened) == ("", ())


CHOSEN = a_talk(
    Place.HANDED_OVER,
    visited=(Place.LANGUAGE, Place.CONFIRM, Place.OFFER, Place.MENU),
    intent="refund",
    opened=("refund",),
)
SECRETIVE = a_full_line(disclosure=DisclosureRules(intents={"refund": Disclosure.SENSITIVE}))
OPEN_ABOUT_IT = a_full_line(disclosure=DisclosureRules(intents={"refund": Disclosure.PUBLIC}))


def verified(talk: Talk, line: Any = LINE) -> tuple[Talk, Any]:
    heard = hear(line, talk, a_turn("4711"), (Proof("ref", "4711"),), NOW)
    return go_on(line, heard.talk, a_caller(line, REUSE, verified=True), NOW)


def silent(talk: Talk, known: Any, line: Any = LINE) -> tuple[Talk, Any]:
    """Until something else is asked, or nothing."""
    place = talk.place
    while True:
        talk, step = go_on(line, hear(line, talk, a_turn(), (), NOW).talk, known, NOW)
        if talk.place is not place:
            return talk, step


class TestWhatTheEarlierCallWasAbout:
    """It is memory for the new call: who rings back is not always who was cut off."""

    @pytest.mark.parametrize(
        ("line", "recommendation", "known", "goes_on"),
        [
            (LINE, REUSE, {}, True),
            (LINE, REUSE, {"locked": True}, True),
            (LINE, CONFIRM, {}, True),
            (LINE, CONFIRM, {"locked": True}, False),
            (LINE, IGNORE, {}, False),
            (SECRETIVE, REUSE, {}, False),
            (SECRETIVE, REUSE, {"verified": True}, True),
            (SECRETIVE, CONFIRM, {}, False),
            (OPEN_ABOUT_IT, CONFIRM, {"locked": True}, True),
            (OPEN_ABOUT_IT, IGNORE, {}, False),
        ],
    )
    def test_counts_for_who_may_hear_it(self, line: Any, recommendation: Any, known: Any, goes_on: bool) -> None:
        caller = a_caller(line, recommendation, **{"memory": Memory(), **known})
        talk, step = begin(line, caller, NOW, resumable(line, a_call(CHOSEN), NOW))
        assert ((talk.intent, talk.opened) == ("refund", ("refund",))) is goes_on
        assert isinstance(step.then, HandOver) is goes_on
        assert bool(settlement(talk, ())) is goes_on
        assert goes_on or (talk.intent, talk.opened) == ("", ())

    @pytest.mark.parametrize("by_name", [True, False])
    def test_silence_at_the_question_does_not_open_it(self, by_name: bool) -> None:
        caller = a_caller(LINE, CONFIRM, provable=True)
        talk, _ = begin(LINE, caller, NOW, resumable(LINE, a_call(CHOSEN), NOW))
        # The use case looks nothing up any more once the question is done with.
        talk, step = silent(talk, a_caller(LINE, CONFIRM, provable=by_name))
        assert texts(step)[:2] == ["not_verified", "menu"]
        assert (talk.intent, talk.opened) == ("", ())
        talk, step = silent(talk, a_caller(LINE, CONFIRM))
        assert (talk.destination, talk.intent, talk.opened) == ("", "", ())
        assert "intent" not in dict(step.then.context)

    def test_a_sensitive_one_is_told_to_nobody_who_answers_until_it_is_proved(self) -> None:
        line = replace(SECRETIVE, destination=replace(DESTINATIONS["seniors"]), menu=None, offer=None)
        caller = a_caller(line, REUSE)
        talk, step = begin(line, caller, NOW, resumable(line, a_call(CHOSEN), NOW))
        told = whisper(line, talk, caller)
        assert told is not None
        assert dict(told.says[0].facts)["intent"] != "Erstattung"
        assert "refund" not in str((step, told))

    def test_wrong_answers_drop_it(self) -> None:
        talk, _ = taken_up(CHOSEN, CONFIRM, provable=True)
        talk = replace(talk, wrong=2, tries=2)
        heard = hear(LINE, talk, a_turn("9999"), (Proof("ref", "4711"),), NOW)
        assert Refuted() in heard.effects
        assert (heard.talk.carried, heard.talk.intent, heard.talk.opened) == ((), "", ())

    def test_so_does_an_agent_who_finds_out_that_it_is_somebody_else(self) -> None:
        talk, _ = taken_up(CHOSEN, REUSE)
        assert talk.opened == ("refund",)
        talk = estranged(talk)
        assert (talk.carried, talk.intent, talk.opened) == ((), "", ())

    def test_the_callers_own_choice_stays_theirs(self) -> None:
        talk, _ = begin(SECRETIVE, a_caller(SECRETIVE, REUSE), NOW, resumable(SECRETIVE, a_call(CHOSEN), NOW))
        assert talk.place is Place.OFFER
        heard = hear(SECRETIVE, replace(talk, place=Place.MENU), a_turn("1"), (), NOW)
        talk, _ = go_on(SECRETIVE, heard.talk, a_caller(SECRETIVE, REUSE), NOW)
        assert (talk.intent, talk.opened, talk.destination) == ("refund", ("refund",), "billing")
        assert estranged(talk).opened == ("refund",)

    def test_another_choice_goes_before_it(self) -> None:
        talk, _ = taken_up(CHOSEN, CONFIRM, provable=True)
        talk = replace(talk, place=Place.HANDED_OVER, intent="complaint", opened=("complaint",))
        caller = a_caller(LINE, REUSE, verified=True)
        assert go_on(LINE, talk, caller, NOW)[0].intent == "complaint"

    def test_cut_off_again_before_anything_was_proved_it_is_still_kept_back(self) -> None:
        talk, _ = taken_up(CHOSEN, CONFIRM, provable=True)
        talk, _ = taken_up(talk, CONFIRM, provable=True)
        assert (talk.intent, talk.opened) == ("", ())
        assert verified(talk)[0].intent == "refund"

    def test_what_was_chosen_last_is_what_it_goes_on_with(self) -> None:
        talk = replace(CHOSEN, intent="complaint", opened=("complaint", "refund"), carried=("refund",))
        assert taken_up(talk, REUSE)[0].intent == "complaint"


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
    second, _ = taken_up(first, CONFIRM, memory=Memory())
    again = resumable(LINE, Call(CALL, NOW, hung_up_at=NOW, talk=second), NOW)
    assert again is not None
    assert (again.attempt_of, again.opened) == (BEFORE, ("refund",))
