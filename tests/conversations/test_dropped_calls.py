"""A caller who was cut off and rings back goes on where the call broke off; it is the same attempt."""

from __future__ import annotations

import pytest

from adapter.replay import HANG_UP, NO_ANSWER, SILENCE, Keys, answered
from tests.builders import Api, ToldClock

from .conftest import Phone
from .world import FULL, KEYS_ONLY, MENU, Person, a_number, known, probable


def test_cut_off_at_the_menu_the_menu_comes_again(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    assert phone.calls(number, HANG_UP).said == f"WELCOME_BACK Maria Lopez {MENU}"
    assert phone.calls(number, "2").said == f"RESUMED {MENU} CONNECTING"


def test_cut_off_while_it_rings_the_same_destination_rings_again_unasked(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    phone.calls(number, "1", HANG_UP)
    again = phone.calls(number, answered())
    assert again.said == "RESUMED CONNECTING"
    assert [handover.target for handover in again.handovers] == ["+14155550301"]


def test_a_resumed_call_is_the_same_attempt(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known({"refund_request": 1}, name="Maria Lopez").remembered(api, number)
    first = phone.calls(number, "1", HANG_UP)
    assert first.said == "WELCOME_BACK Maria Lopez OFFER refund 1? CONNECTING"
    again = phone.calls(number, answered())
    assert again.whispered == "WHISPER Maria Lopez|refund|2|reuse|0"
    assert attempts(api, ref) == {"refund_request": 2}


def test_dropped_twice_it_is_still_the_same_attempt(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known({"refund_request": 1}, name="Maria Lopez").remembered(api, number)
    for script in (("1", HANG_UP), (HANG_UP,), (HANG_UP,)):
        phone.calls(number, *script)
    assert phone.calls(number, answered()).said == "RESUMED CONNECTING"
    assert attempts(api, ref) == {"refund_request": 2}


def test_a_choice_on_its_way_when_the_line_broke_is_not_asked_for_again(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    phone.calls(number, Keys("2", hangs_up=True))
    assert phone.calls(number, answered()).said == "RESUMED CONNECTING"


@pytest.mark.parametrize(("seconds", "resumed"), [(299, True), (302, False)], ids=["just in time", "too late"])
def test_only_who_rings_back_in_time_is_taken_up(
    phone: Phone, api: Api, clock: ToldClock, seconds: int, resumed: bool
) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    phone.calls(number, HANG_UP)
    clock.advance(seconds=seconds)
    assert phone.calls(number, "2").said.startswith("RESUMED" if resumed else "WELCOME_BACK")


def test_an_answered_call_is_not_taken_up(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    phone.calls(number, "2", answered())
    assert phone.calls(number, HANG_UP).said.startswith("WELCOME_BACK Maria Lopez")


def test_a_call_that_an_agent_has_ended_is_not_taken_up(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    cut = phone.calls(number, HANG_UP)
    assert api.end(cut.call_sid, customer_ref=ref).status_code == 200
    assert phone.calls(number, HANG_UP).said.startswith("WELCOME_BACK Maria Lopez")


def test_another_line_does_not_take_it_up(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    phone.calls(number, HANG_UP, line=FULL)
    assert phone.calls(number, HANG_UP, line=KEYS_ONLY).said.startswith("WELCOME_BACK Maria Lopez")


def test_a_verification_of_the_dropped_call_does_not_count_for_the_new_one(phone: Phone, api: Api) -> None:
    """Whoever rings back from that number may be somebody else: sensitive values need a proof in this call."""
    number = a_number()
    person = Person({"name": "Maria Lopez", "pin": "4711"}, intents={"divorce": 1})
    person.remembered(api, number)
    assert phone.calls(number, "4711#", HANG_UP).said == "WELCOME PIN? VERIFIED Maria Lopez OFFER divorce 1?"
    again = phone.calls(number, HANG_UP, line=FULL)
    assert "divorce" not in again.said
    assert again.whispered == ""


def test_a_new_caller_who_was_cut_off_is_taken_up_by_the_number(phone: Phone, api: Api) -> None:
    number = a_number()
    phone.calls(number, SILENCE, SILENCE, "1", HANG_UP)
    again = phone.calls(number, answered())
    assert "RESUMED" in again.said
    assert [handover.target for handover in again.handovers] == ["+14155550301"]


def test_a_withheld_number_is_never_taken_up(phone: Phone) -> None:
    phone.calls("+266696687", SILENCE, SILENCE, "1", HANG_UP)
    assert phone.calls("+266696687", HANG_UP).said.startswith("WELCOME ACCOUNT")


def test_cut_off_at_the_pin_the_pin_is_asked_for_again(phone: Phone, api: Api) -> None:
    number = a_number()
    probable(name="Maria Lopez", pin="4711").remembered(api, number)
    phone.calls(number, "1#", HANG_UP)
    again = phone.calls(number, "4711#", "2", NO_ANSWER)
    assert again.said.startswith(f"WELCOME PIN? VERIFIED Maria Lopez {MENU} CONNECTING")


def attempts(api: Api, ref: str) -> dict[str, int]:
    return {each["intent"]: each["attempt_count"] for each in api.customer(ref).json["intents"]}
