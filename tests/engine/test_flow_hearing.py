"""What follows from a turn: every place with every event that can happen there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.flow import Heard, Identified, Learned, Proof, Refuted, Verified, WrongAnswer, estranged, hear
from adapter.engine.flow.judging import judge
from adapter.engine.flow.table import TABLE, Event
from adapter.engine.line import Line
from adapter.engine.model import Outcome, Place, Talk, Turn
from tests.builders import NOW, a_line
from tests.engine.talks import BY_DIGITS, BY_NAME, OTHER_REF, REF, a_full_line, a_talk, a_turn

LINE = a_full_line()
PIN = (Proof(REF, "4711"),)
SILENCE, UNCLEAR, WRONG_KEY = a_turn(), a_turn(speech="uh what"), a_turn("*")
LATE = NOW + 60_001


def heard(place: Place, turn: Turn, line: Line = LINE, at: int = NOW, **talk: Any) -> Heard:
    return hear(line, a_talk(place, **talk), turn, PIN, at)


def is_asked_again(before: Talk, after: Heard) -> bool:
    again = after.talk.tries == before.tries + 1 and before.place not in after.talk.visited
    return again and after.talk.place is before.place


def is_done(after: Heard) -> bool:
    return after.talk.visited[-1:] == (after.talk.place,)


NOT_UNDERSTOOD = [
    (Place.LANGUAGE, SILENCE),
    (Place.LANGUAGE, WRONG_KEY),
    (Place.LANGUAGE, a_turn("3")),
    (Place.LANGUAGE, a_turn("12")),
    (Place.LANGUAGE, UNCLEAR),
    (Place.WHO, SILENCE),
    (Place.WHO, WRONG_KEY),
    (Place.WHO, UNCLEAR),
    (Place.CONFIRM, SILENCE),
    (Place.CONFIRM, WRONG_KEY),
    (Place.CONFIRM, UNCLEAR),
    (Place.IDENTIFY, SILENCE),
    (Place.IDENTIFY, WRONG_KEY),
    (Place.IDENTIFY, UNCLEAR),
    (Place.IDENTIFY, a_turn("12345")),
    (Place.OFFER, SILENCE),
    (Place.OFFER, WRONG_KEY),
    (Place.OFFER, a_turn(speech="yes no")),
    (Place.OFFER, UNCLEAR),
    (Place.MENU, SILENCE),
    (Place.MENU, WRONG_KEY),
    (Place.MENU, a_turn("9")),
    (Place.MENU, UNCLEAR),
]


@pytest.mark.parametrize(("place", "turn"), NOT_UNDERSTOOD)
def test_silence_and_what_fits_nothing_use_up_a_try(place: Place, turn: Turn) -> None:
    before = a_talk(place, offered=("refund",))
    after = hear(LINE, before, turn, PIN, NOW)
    assert is_asked_again(before, after)
    assert after.effects == ()


@pytest.mark.parametrize(("place", "turn"), NOT_UNDERSTOOD)
def test_after_the_last_try_nothing_is_decided(place: Place, turn: Turn) -> None:
    after = heard(place, turn, tries=2, offered=("refund",))
    assert is_done(after)
    assert after.effects == ()
    assert (after.talk.intent, after.talk.language, after.talk.opened) == ("", "", ())


@pytest.mark.parametrize(
    ("place", "tries"),
    [(Place.LANGUAGE, 2), (Place.WHO, 3), (Place.IDENTIFY, 2), (Place.CONFIRM, 3), (Place.OFFER, 2), (Place.MENU, 2)],
)
def test_a_question_is_asked_as_often_as_configured(place: Place, tries: int) -> None:
    talk, asked = a_talk(place, offered=("refund",)), 1
    while place not in (talk := hear(LINE, talk, SILENCE, PIN, NOW).talk).visited:
        asked += 1
    assert asked == tries


def test_a_language_is_chosen_and_learned() -> None:
    after = heard(Place.LANGUAGE, a_turn("2"))
    assert is_done(after)
    assert after.talk.language == "de-DE"
    assert after.effects == (Learned("language", "de-DE"),)


@pytest.mark.parametrize("place", [Place.WHO, Place.CONFIRM])
class TestProving:
    def test_the_right_answer_verifies(self, place: Place) -> None:
        after = heard(place, a_turn("4711"))
        assert is_done(after)
        assert after.effects == (Verified(REF),)

    def test_a_wrong_answer_is_counted(self, place: Place) -> None:
        before = a_talk(place)
        after = hear(LINE, before, a_turn("4712"), PIN, NOW)
        assert is_asked_again(before, after)
        assert (after.talk.wrong, after.effects) == (1, (WrongAnswer(),))

    def test_the_last_wrong_answer_refutes(self, place: Place) -> None:
        after = heard(place, a_turn("4712"), tries=2, wrong=2)
        assert is_done(after)
        assert after.effects == (WrongAnswer(), Refuted())

    def test_a_wrong_answer_among_them_refutes(self, place: Place) -> None:
        after = heard(place, SILENCE, tries=2, wrong=1)
        assert is_done(after)
        assert after.effects == (Refuted(),)

    def test_silence_proves_nothing(self, place: Place) -> None:
        assert heard(place, SILENCE, tries=2).effects == ()

    def test_the_right_answer_after_wrong_ones_verifies(self, place: Place) -> None:
        assert heard(place, a_turn("4711"), tries=2, wrong=2).effects == (Verified(REF),)

    @pytest.mark.parametrize(("at", "effects"), [(NOW + 59_999, 1), (NOW + 60_000, 1), (LATE, 0)])
    def test_a_right_answer_may_come_too_late(self, place: Place, at: int, effects: int) -> None:
        after = heard(place, a_turn("4711"), at=at)
        assert is_done(after)
        assert len(after.effects) == effects

    @pytest.mark.parametrize("turn", [a_turn("4711"), a_turn("4712"), SILENCE])
    def test_too_late_is_like_no_tries_left(self, place: Place, turn: Turn) -> None:
        assert heard(place, turn, at=LATE).effects == ()
        assert heard(place, turn, at=LATE, wrong=1).effects == (Refuted(),)

    def test_nobody_is_verified_under_a_lock(self, place: Place) -> None:
        after = heard(place, a_turn("4711"), locked=True, tries=1, wrong=1)
        assert is_done(after)
        assert after.effects == (Refuted(),)

    def test_without_anything_to_compare_with_every_answer_is_wrong(self, place: Place) -> None:
        assert hear(LINE, a_talk(place), a_turn("4711"), (), NOW).effects == (WrongAnswer(),)

    def test_a_line_that_asks_no_more_takes_no_answer(self, place: Place) -> None:
        after = hear(a_line(), a_talk(place), a_turn("4711"), PIN, NOW)
        assert is_done(after)
        assert after.effects == ()

    def test_a_proof_of_two_people_proves_neither(self, place: Place) -> None:
        before = a_talk(place)
        after = hear(LINE, before, a_turn("4711"), (*PIN, Proof(OTHER_REF, "4711")), NOW)
        assert is_asked_again(before, after)
        assert after.effects == ()

    def test_the_same_person_twice_is_one(self, place: Place) -> None:
        assert hear(LINE, a_talk(place), a_turn("4711"), (*PIN, *PIN), NOW).effects == (Verified(REF),)

    @pytest.mark.parametrize(
        ("turn", "effects"),
        [
            (a_turn(speech="four seven one one"), (Verified(REF),)),
            (a_turn(speech="4711"), (Verified(REF),)),
            (a_turn(speech="47110"), (WrongAnswer(),)),
            (a_turn("471"), (WrongAnswer(),)),
            (a_turn("47 11#"), (Verified(REF),)),
        ],
    )
    def test_a_pin_is_compared_whole(self, place: Place, turn: Turn, effects: tuple[Any, ...]) -> None:
        assert heard(place, turn).effects == effects

    @pytest.mark.parametrize(
        ("turn", "effects"),
        [
            (a_turn("4711"), (Verified(REF),)),
            (a_turn("4712"), (WrongAnswer(),)),
            (a_turn("471"), ()),
            (a_turn("004711"), ()),
        ],
    )
    def test_last_digits_are_compared_when_there_are_as_many(
        self, place: Place, turn: Turn, effects: tuple[Any, ...]
    ) -> None:
        line = a_full_line(confirm=BY_DIGITS)
        assert hear(line, a_talk(place), turn, (Proof(REF, "AC-004711"),), NOW).effects == effects

    @pytest.mark.parametrize(
        ("turn", "effects"),
        [
            (a_turn(speech="Hi, this is Maria Millar"), (Verified(REF),)),
            (a_turn(speech="Paula Miller"), (Verified(OTHER_REF),)),
            (a_turn(speech="Peter Baker"), (WrongAnswer(),)),
            (a_turn(speech="Maria Paula Miller"), ()),
            (a_turn(speech="my name is"), ()),
            (a_turn("62742"), ()),
        ],
    )
    def test_a_name_tells_people_apart(self, place: Place, turn: Turn, effects: tuple[Any, ...]) -> None:
        names = (Proof(REF, "Maria Miller"), Proof(OTHER_REF, "Paula Miller"))
        assert hear(a_full_line(confirm=BY_NAME), a_talk(place), turn, names, NOW).effects == effects


def test_an_account_is_presented_and_looked_up() -> None:
    after = heard(Place.IDENTIFY, a_turn("123456"))
    assert is_done(after)
    assert after.talk.presented == ("account", "123456")
    assert after.effects == (Identified("account", "123456"),)


@pytest.mark.parametrize("turn", [a_turn("1"), a_turn(speech="yes, please")])
def test_yes_to_an_offer_is_what_the_call_is_about(turn: Turn) -> None:
    after = heard(Place.OFFER, turn, offered=("new_order", "refund"))
    assert is_done(after)
    assert (after.talk.intent, after.talk.opened) == ("refund", ("refund",))


def test_no_to_an_offer_asks_for_the_next_with_all_tries() -> None:
    after = heard(Place.OFFER, a_turn("2"), offered=("refund",), tries=1)
    assert (after.talk.tries, after.talk.visited, after.talk.intent) == (0, (), "")


def test_an_answer_to_no_offer_is_none() -> None:
    assert heard(Place.OFFER, a_turn("1")).talk.intent == ""


@pytest.mark.parametrize("turn", [a_turn("1"), a_turn(speech="my money back")])
def test_what_is_chosen_from_the_menu_is_open_at_once(turn: Turn) -> None:
    after = heard(Place.MENU, turn)
    assert is_done(after)
    assert (after.talk.intent, after.talk.opened) == ("refund", ("refund",))


def test_what_is_chosen_after_a_no_is_the_callers_own_word() -> None:
    after = heard(Place.MENU, a_turn("1"), offered=("refund", "complaint"), opened=("refund",))
    assert (after.talk.offered, after.talk.opened) == (("complaint",), ("refund",))


@pytest.mark.parametrize("place", [Place.LANGUAGE, Place.IDENTIFY, Place.OFFER, Place.MENU])
def test_a_question_that_is_configured_no_more_ends(place: Place) -> None:
    talk = a_talk(place, tries=9)
    assert is_done(hear(a_line(), talk, a_turn("1"), (), NOW))


@pytest.mark.parametrize(
    ("outcome", "goes_to", "done"),
    [
        (Outcome.ANSWERED, "seniors", True),
        (Outcome.DECLINED, "billing", False),
        (Outcome.NO_ANSWER, "callback", False),
        (Outcome.BUSY, "", False),
        (Outcome.FAILED, "seniors", False),
        (None, "seniors", True),
    ],
)
def test_an_outcome_leads_to_the_next_destination(outcome: Outcome | None, goes_to: str, done: bool) -> None:
    after = heard(Place.HANDED_OVER, a_turn(outcome=outcome), destination="seniors", tried=("seniors",))
    assert (after.talk.destination, Place.HANDED_OVER in after.talk.visited) == (goes_to, done)
    assert after.effects == ()


@pytest.mark.parametrize("tried", [("seniors", "billing"), ("billing", "seniors")])
def test_nobody_is_rung_twice(tried: tuple[str, ...]) -> None:
    after = heard(Place.HANDED_OVER, a_turn(outcome=Outcome.DECLINED), destination="seniors", tried=tried)
    assert after.talk.destination == "seniors"


def test_a_destination_that_is_configured_no_more_is_the_default_one() -> None:
    line = a_full_line(destinations={"seniors": LINE.destinations["seniors"]})
    after = heard(Place.HANDED_OVER, a_turn(outcome=Outcome.DECLINED), line, destination="seniors", tried=("seniors",))
    assert after.talk.destination == ""


@pytest.mark.parametrize(("turn", "done"), [(a_turn(recorded=True), True), (SILENCE, False)])
def test_a_message_was_left_or_not(turn: Turn, done: bool) -> None:
    assert (Place.VOICEMAIL in heard(Place.VOICEMAIL, turn).talk.visited) is done


@pytest.mark.parametrize("turn", [SILENCE, a_turn("1"), a_turn(outcome=Outcome.BUSY), a_turn(recorded=True)])
def test_nothing_follows_once_the_call_is_over(turn: Turn) -> None:
    after = heard(Place.OVER, turn)
    assert (after.talk.place, after.effects) == (Place.OVER, ())


def test_who_is_refuted_keeps_nothing_from_the_others_memory() -> None:
    after = heard(Place.CONFIRM, SILENCE, tries=2, wrong=1, intent="refund", offered=("refund",), opened=("refund",))
    assert (after.talk.intent, after.talk.opened) == ("", ())


def test_a_strangers_own_words_stay() -> None:
    talk = a_talk(Place.MENU, intent="complaint", offered=("refund",), opened=("refund", "complaint"))
    after = estranged(talk)
    assert (after.intent, after.opened) == ("complaint", ("complaint",))


turns = st.builds(
    a_turn,
    st.sampled_from(["", "1", "2", "4711", "123456", "*", "9"]) | st.text(max_size=5),
    st.sampled_from(["", "yes", "no", "refund", "Maria Miller"]) | st.text(max_size=20),
    outcome=st.none() | st.sampled_from(Outcome),
    recorded=st.booleans(),
)


@given(st.sampled_from(Place), turns, st.integers(0, 4), st.booleans(), st.sampled_from([LINE, a_line()]))
def test_any_turn_at_any_place_is_an_event_of_the_table(
    place: Place, turn: Turn, tries: int, offered: bool, line: Line
) -> None:
    talk = a_talk(place, tries=tries, offered=("refund",) if offered else ())
    event = judge(line, talk, turn, PIN, NOW).event
    assert (place, event) in TABLE
    # Only who is erased has left the place at once.
    erased = (place, event) == (Place.FORGET, Event.YES)
    assert hear(line, talk, turn, PIN, NOW).talk.place is (Place.OVER if erased else place)


def test_every_event_is_in_the_table_and_every_place() -> None:
    assert {event for _, event in TABLE} == set(Event)
    assert {place for place, _ in TABLE} == set(Place)
