"""Who keeps guessing is not asked any more: not this number, and not about this customer (configuration, `confirm`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.usecases import sweep
from tests.builders import Api, ToldClock
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, OTHER_ANI, PIN, Phone, by_account, by_pin, said

THREE = replace(PIN, tries=1, lockout_failures=3, lockout_hours=24)
ASKED = "ask_pin"


def guesses(phone: Phone, call_id: str, ani: str | None = ANI) -> bool:
    """Calls and, when asked, guesses wrongly. Whether there was a question."""
    asked = ASKED in phone.call(call_id, ani)
    if asked:
        phone.presses(call_id, "0000")
    return asked


@pytest.fixture
def phone(calling: Calling, maria: str) -> Phone:
    return calling(by_pin(confirm=THREE))


def test_wrong_answers_of_several_calls_lock_the_number_for_its_hours(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    assert [guesses(phone, f"call-{number}") for number in range(5)] == [True, True, True, False, False]
    clock.advance(hours=24)
    assert guesses(phone, "call-9")


def test_one_wrong_answer_less_locks_nothing(api: Api, phone: Phone, maria: str, clock: ToldClock) -> None:
    for number in range(2):
        guesses(phone, f"call-{number}")
    clock.advance(hours=23)
    assert ASKED in phone.call("call-9")


def test_a_locked_number_verifies_nobody_in_the_call_that_locked_it(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin(confirm=replace(THREE, tries=9)))
    phone.call("call-1")
    for _ in range(2):
        assert ASKED in said(phone.presses("call-1", "0000"))
    assert ASKED not in said(phone.presses("call-1", "0000"))
    assert "verified" not in said(phone.presses("call-1", "4711"))
    assert api.call("call-1").json["identity"]["confidence"] < 1


def test_the_answer_that_locks_is_the_last_one(api: Api, calling: Calling, maria: str) -> None:
    before = api.customer(maria).json
    phone = calling(by_pin(confirm=replace(THREE, tries=9)))
    phone.call("call-1")
    for _ in range(3):
        assert api.call("call-1").json["customer_ref"] == maria
        phone.presses("call-1", "0000")
    assert api.call("call-1").json["timeline"][-1]["event"] == "verdict_rejected"
    assert api.customer(maria).json == before


def test_one_customers_pin_cannot_be_guessed_from_many_numbers(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    """Maria has two telephones; the guesses come from one, then from the other."""
    api.start("from-the-other", customer_ref=maria, ani=OTHER_ANI)
    api.verdict("from-the-other", "confirmed")
    api.end("from-the-other", customer_ref=maria)
    clock.advance(hours=1)
    assert guesses(phone, "call-1", ANI)
    assert guesses(phone, "call-2", OTHER_ANI)
    clock.advance(hours=1)
    for failures, asked in ((2, False), (3, True)):
        phone.line = by_pin(confirm=replace(THREE, lockout_failures=failures, always=True))
        api.start(f"by-ref-{failures}", customer_ref=maria)
        assert (ASKED in phone.call(f"by-ref-{failures}", None)) is asked


@pytest.mark.parametrize("known", [True, False], ids=["somebody's", "nobody's"])
def test_a_withheld_numbers_guesses_lock_the_named_account_whether_it_is_somebodys_or_not(
    api: Api, calling: Calling, clock: ToldClock, known: bool
) -> None:
    account = {"external_ids": {"account": "12345" if known else "777"}}
    api.end("earlier", identity_hints=account, variables={"pin": "4711"})
    clock.advance(days=2)
    phone = calling(by_account(confirm=THREE))
    asked = []
    for number in range(5):
        phone.call(f"call-{number}", None)
        asked.append(ASKED in said(phone.presses(f"call-{number}", "12345")))
        if asked[-1]:
            phone.presses(f"call-{number}", "0000")
    assert asked == [True, True, True, False, False]


def test_a_right_answer_is_no_wrong_one(phone: Phone, maria: str) -> None:
    for number in range(5):
        assert ASKED in phone.call(f"call-{number}")
        assert said(phone.presses(f"call-{number}", "4711"))[0] == "verified"


def test_silence_locks_nobody(phone: Phone, maria: str) -> None:
    for number in range(5):
        assert ASKED in phone.call(f"call-{number}")
        phone.is_silent(f"call-{number}")


def test_a_repeated_webhook_is_no_second_guess(phone: Phone, maria: str, calling: Calling) -> None:
    phone.call("call-1")
    for _ in range(5):
        phone.turn("call-1", 1, digits="0000")
    assert ASKED in phone.call("call-2")


def test_what_is_over_is_swept(phone: Phone, maria: str, clock: ToldClock) -> None:
    guesses(phone, "call-1")
    assert sweep(phone.service).lockouts == 0
    clock.advance(hours=24)
    assert sweep(phone.service).lockouts == 2


@pytest.mark.parametrize("named", [False, True], ids=["the caller's number", "the named account"])
def test_calls_that_were_asked_before_the_lock_guess_no_further(
    api: Api, calling: Calling, maria: str, named: bool
) -> None:
    """Fifty at once, one guess each: as many are judged as one after the other would be."""
    if named:
        api.start("more", customer_ref=maria, external_ids={"account": "12345"})
    phone = calling(by_account(confirm=THREE) if named else by_pin(confirm=THREE))
    for number in range(50):
        phone.call(f"call-{number}", None if named else ANI)
        if named:
            phone.presses(f"call-{number}", "12345")
    wrong = [phone.presses(f"call-{number}", f"{number:04}") for number in range(49)]
    right = phone.presses("call-49", "4711")
    assert {said(step)[0] for step in (*wrong, right)} == {"not_verified"}
    events = [len(api.call(f"call-{number}").json["timeline"]) for number in range(50)]
    assert events == [1] * 50 if named else [2] * 3 + [1] * 47


def test_a_lock_that_comes_between_two_answers_is_no_way_out_of_a_wrong_one(
    api: Api, calling: Calling, maria: str
) -> None:
    phone = calling(by_pin(confirm=replace(PIN, tries=3, lockout_failures=3)))
    for call_id in ("call-1", "call-2"):
        phone.call(call_id)
    phone.presses("call-1", "0000")
    for _ in range(2):
        phone.presses("call-2", "0000")
    assert said(phone.presses("call-1", "4711"))[0] == "not_verified"
    assert api.call("call-1").json["timeline"][-1]["event"] == "verdict_rejected"


def test_a_right_answer_takes_the_wrong_ones_back(phone: Phone, maria: str, clock: ToldClock) -> None:
    for round_ in range(3):
        for number in range(2):
            assert guesses(phone, f"wrong-{round_}-{number}")
        phone.call(f"right-{round_}")
        assert said(phone.presses(f"right-{round_}", "4711"))[0] == "verified"


def test_a_right_answer_about_an_account_takes_the_wrong_ones_back(api: Api, calling: Calling, maria: str) -> None:
    api.start("more", customer_ref=maria, external_ids={"account": "12345"})
    phone = calling(by_account(confirm=THREE))
    for number in range(6):
        phone.call(f"call-{number}", None)
        assert ASKED in said(phone.presses(f"call-{number}", "12345"))
        phone.presses(f"call-{number}", "4711" if number % 2 else "0000")


def test_no_right_answer_opens_a_lock_on_the_customer(api: Api, calling: Calling, maria: str) -> None:
    """Locked by guesses from her number, she proves it by her account: that number's lock stays."""
    api.start("more", customer_ref=maria, external_ids={"account": "12345"})
    phone = calling(by_account(confirm=THREE))
    for number in range(3):
        assert guesses(phone, f"wrong-{number}")
    phone.call("call-1", None)
    phone.presses("call-1", "12345")
    assert said(phone.presses("call-1", "4711"))[0] == "verified"
    assert ASKED not in phone.call("call-2")


def test_the_customers_lock_ends_the_question_on_a_shared_number_too(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    """The number is not locked, and the newcomer whose call it is then was never guessed at."""
    john = api.start("johns", "landline", ani=ANI, external_ids={"crm": "john"}).json["customer_ref"]
    assert john != maria
    api.end("johns", customer_ref=john, variables={"pin": "1147"})
    clock.advance(seconds=5)
    phone = calling(by_pin(confirm=replace(THREE, tries=9, always=True)))
    for number in range(2):
        api.start(f"other-{number}", customer_ref=john)
        phone.call(f"other-{number}", None)
        phone.presses(f"other-{number}", "0000")
    api.start("call-1", ani=ANI, customer_ref=john)
    assert ASKED in phone.call("call-1")
    assert api.call("call-1").json["customer_ref"] == john
    assert said(phone.presses("call-1", "0000"))[0] == "not_verified"
    assert api.call("call-1").json["timeline"][-1]["event"] == "verdict_rejected"


def test_after_the_agents_end_no_wrong_answer_counts(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin(confirm=replace(THREE, tries=9)))
    phone.call("call-1")
    api.end("call-1", customer_ref=maria)
    for _ in range(5):
        phone.presses("call-1", "0000")
    assert ASKED in phone.call("call-2")
