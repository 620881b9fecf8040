"""Verifying has an end: tries, seconds, and a lock for numbers from which too much was tried."""

from __future__ import annotations

from adapter.replay import HANG_UP, SILENCE, Keys, Speech
from tests.builders import Api, ToldClock

from .conftest import Phone
from .row import ANA, BEN
from .world import ASKS_ALL, BY_NAME, MENU, Person, a_number, known, probable


def test_a_right_answer_after_the_time_is_over_comes_too_late(phone: Phone, api: Api) -> None:
    number = a_number()
    probable(name="Maria Lopez", pin="4711").remembered(api, number)
    late = phone.calls(number, Keys("4711#", seconds=61), "2")
    assert late.said == f"WELCOME PIN? NOT_VERIFIED {MENU} CONNECTING"
    assert events(api, late.call_sid) == ["greeted", "hung_up"]


def test_on_a_shared_number_it_comes_too_late_as_well(phone: Phone, api: Api) -> None:
    number = a_number()
    for person in (ANA, BEN):
        person.remembered(api, number)
    late = phone.calls(number, Speech("this is Ben Moss", seconds=61), line=BY_NAME)
    assert late.said == "WELCOME WHO? NOT_VERIFIED CONNECTING"
    assert events(api, late.call_sid) == ["greeted", "hung_up"]


def test_the_time_runs_from_the_first_asking(phone: Phone, api: Api) -> None:
    number = a_number()
    probable(name="Maria Lopez", pin="4711").remembered(api, number)
    late = phone.calls(number, Keys("1#", seconds=40), Keys("4711#", seconds=30), "2")
    assert late.said == f"WELCOME PIN? AGAIN PIN? NOT_VERIFIED {MENU} CONNECTING"
    assert events(api, late.call_sid) == ["greeted", "verdict_rejected", "hung_up"]


def test_in_time_it_counts(phone: Phone, api: Api) -> None:
    number = a_number()
    probable(name="Maria Lopez", pin="4711").remembered(api, number)
    assert "VERIFIED Maria" in phone.calls(number, Keys("4711#", seconds=59), "2").said


def test_after_five_wrong_answers_a_number_is_not_asked_any_more(phone: Phone, api: Api, clock: ToldClock) -> None:
    number = a_number()
    probable(name="Maria Lopez", pin="4711").remembered(api, number)
    for _ in range(2):
        phone.calls(number, "1#", "2#", HANG_UP)
        clock.advance(hours=1)
    locking = phone.calls(number, "3#", "2")
    assert locking.said == f"WELCOME PIN? NOT_VERIFIED {MENU} CONNECTING"
    assert events(api, locking.call_sid) == ["greeted", "verdict_rejected", "hung_up"]
    assert "PIN?" not in phone.calls(number, "2").said


def test_the_lock_opens_after_its_hours(phone: Phone, api: Api, clock: ToldClock) -> None:
    number = a_number()
    known(name="Maria Lopez", pin="4711").remembered(api, number)
    for _ in range(2):
        phone.calls(number, "1#", HANG_UP, line=ASKS_ALL)
    assert "PIN?" not in phone.calls(number, line=ASKS_ALL).said
    clock.advance(hours=24, seconds=1)
    assert "PIN?" in phone.calls(number, HANG_UP, line=ASKS_ALL).said


def test_one_persons_pin_cannot_be_guessed_from_many_numbers(phone: Phone, api: Api) -> None:
    home = a_number()
    Person({"name": "Maria Lopez", "pin": "4711"}, {"account_number": "8812"}).remembered(api, home)
    for guess in ("0001#", "0002#", "0003#", "0004#", "0005#"):
        phone.calls(a_number(), "8812", guess, HANG_UP)
    guessed = phone.calls(a_number(), "8812", "4711#", HANG_UP)
    assert "VERIFIED Maria" not in guessed.said


def test_a_lock_sounds_like_an_unknown_caller(phone: Phone, api: Api) -> None:
    """The same words as for a number that nobody knows: else a lock would tell that there is somebody to be guessed."""
    number = a_number()
    Person({"name": "Maria Lopez", "pin": "4711"}, {"account_number": "8812"}).remembered(api, a_number())
    for guess in ("1#", "2#", "3#", "4#", "5#"):
        phone.calls(number, "8812", guess, HANG_UP)
    locked = phone.calls(number, "8812", "4711#", "4711#", "4711#", SILENCE, SILENCE)
    unlocked = phone.calls(a_number(), "9999", "4711#", "4711#", "4711#", SILENCE, SILENCE)
    assert "VERIFIED Maria" not in locked.said
    assert "VERIFIED Maria" not in unlocked.said


def test_right_answers_do_not_lock(phone: Phone, api: Api) -> None:
    number = a_number()
    known(name="Maria Lopez", pin="4711").remembered(api, number)
    for _ in range(6):
        assert "VERIFIED Maria Lopez" in phone.calls(number, "4711#", line=ASKS_ALL).said


def events(api: Api, call_sid: str) -> list[str]:
    return [event["event"] for event in api.call(call_sid).json["timeline"]]
