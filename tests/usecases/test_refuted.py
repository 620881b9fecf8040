"""Who fails the question on somebody's telephone costs that somebody a doubt, and nothing for good (semantics §8)."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import Api, ToldClock
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, PIN, by_pin, said


def test_three_wrong_answers_and_then_the_right_one_leave_the_customer_as_sure_as_before(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    api.start("by-mobile", "mobile", ani=ANI)
    always = by_pin(confirm=replace(PIN, tries=3, always=True))
    phone = calling(always)
    phone.call("call-1")
    assert api.call("call-1").json["identity"]["confidence"] == 0.6
    for keys in ("1", "2", "3"):
        phone.presses("call-1", keys)
    assert api.call("call-1").json["timeline"][-1]["event"] == "verdict_rejected"
    phone.line = by_pin()
    assert "ask_pin" in phone.call("call-2")
    assert said(phone.presses("call-2", "4711"))[0] == "verified"
    assert phone.call("call-3")[0] == "welcome_back"
    identity = api.call("call-3").json["identity"]
    assert (identity["recommendation"], identity["confidence"]) == ("reuse", 0.6)


def test_the_newcomer_of_a_wrong_answer_has_no_number(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    for keys in ("1", "2"):
        phone.presses("call-1", keys)
    assert api.customer(api.call("call-1").json["customer_ref"]).json["numbers"] == []


def test_an_agents_rejection_says_that_the_telephone_is_shared(api: Api, calling: Calling, maria: str) -> None:
    calling(by_pin()).call("call-1")
    api.verdict("call-1", "rejected")
    assert [each["ani"] for each in api.customer(api.call("call-1").json["customer_ref"]).json["numbers"]] == [ANI]
