"""Who had a proof to give and did not give it changes no customer's memory: their words stay on the call (semantics
§8, §9)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from adapter.engine.line import Spoken
from tests.builders import Api, ToldClock, a_line
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, MENU, PIN, Phone, by_pin, said

LANGUAGES = (Spoken("en-US", key="1"), Spoken("de-DE", key="2"))
REFUND = {"moving": 1, "refund_request": 1}


@pytest.fixture
def phone(calling: Calling, maria: str) -> Phone:
    return calling(by_pin(languages=LANGUAGES))


def unproved(phone: Phone, clock: ToldClock, how: str = "silent") -> None:
    """Chooses German, gives no proof, chooses a refund."""
    phone.call("call-1")
    phone.presses("call-1", "2")
    if how == "late":
        clock.advance(seconds=61)
        phone.presses("call-1", "4711")
    else:
        phone.is_silent("call-1")
        phone.is_silent("call-1")
    phone.presses("call-1", "1")


def memory(api: Api, ref: str) -> tuple[dict[str, int], dict[str, str]]:
    told: dict[str, Any] = api.customer(ref).json
    intents = {each["intent"]: each["attempt_count"] for each in told["intents"]}
    return intents, {name: each["value"] for name, each in told["variables"].items() if name == "language"}


def conversation(api: Api, call_id: str = "call-1") -> dict[str, Any]:
    found: dict[str, Any] = api.call(call_id).json["conversation"]
    return found


@pytest.mark.parametrize("how", ["silent", "late"])
@pytest.mark.parametrize("end", ["hang-up", "end", "both"])
def test_what_they_say_stays_on_the_call(
    api: Api, phone: Phone, maria: str, clock: ToldClock, how: str, end: str
) -> None:
    before = memory(api, maria)
    unproved(phone, clock, how)
    if end != "end":
        phone.hangs_up("call-1")
    if end != "hang-up":
        api.end("call-1", customer_ref=maria)
    assert memory(api, maria) == before
    assert conversation(api)["opened_intents"] == ["refund_request"]
    assert conversation(api)["language"] == "de-DE"


def test_who_is_not_asked_for_the_lock_has_given_no_proof_either(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    phone.line = by_pin(confirm=replace(PIN, tries=1, lockout_failures=1))
    phone.call("call-0")
    phone.presses("call-0", "0000")
    before = memory(api, maria)
    assert "ask_pin" not in phone.call("call-1")
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    assert memory(api, maria) == before


@pytest.mark.parametrize("order", ["".join(each) for each in permutations("SV")])
def test_an_agents_confirmation_makes_it_the_customers(
    api: Api, phone: Phone, maria: str, clock: ToldClock, order: str
) -> None:
    unproved(phone, clock)
    for message in order:
        if message == "S":
            phone.hangs_up("call-1")
        else:
            assert api.verdict("call-1", "confirmed").status_code == 200
    assert memory(api, maria) == (REFUND, {"language": "de-DE"})


def test_the_right_answer_makes_it_the_customers(api: Api, phone: Phone, maria: str) -> None:
    phone.call("call-1")
    phone.presses("call-1", "2")
    assert memory(api, maria)[1] == {}
    phone.presses("call-1", "4711")
    assert memory(api, maria)[1] == {"language": "de-DE"}
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    assert memory(api, maria)[0] == REFUND


@pytest.mark.parametrize("order", ["SV", "VS"])
def test_an_agents_rejection_makes_it_the_newcomers(
    api: Api, phone: Phone, maria: str, clock: ToldClock, order: str
) -> None:
    before = api.customer(maria).json
    unproved(phone, clock)
    for message in order:
        if message == "S":
            phone.hangs_up("call-1")
        else:
            api.verdict("call-1", "rejected")
    assert api.customer(maria).json == before
    fresh = api.call("call-1").json["customer_ref"]
    assert memory(api, fresh) == ({"refund_request": 1}, {"language": "de-DE"})


def test_confirmed_and_then_rejected_after_all_the_customer_is_as_before(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    before = api.customer(maria).json
    unproved(phone, clock)
    phone.hangs_up("call-1")
    for verdict in ("confirmed", "rejected"):
        clock.advance(seconds=5)
        api.verdict("call-1", verdict)
    assert api.customer(maria).json == before


def test_whom_the_agents_end_names_gets_it(api: Api, phone: Phone, maria: str, clock: ToldClock) -> None:
    john = api.start("of-john", external_ids={"crm": "john"}).json["customer_ref"]
    before = api.customer(maria).json
    unproved(phone, clock)
    phone.hangs_up("call-1")
    api.end("call-1", customer_ref=john)
    assert api.customer(maria).json == before
    assert memory(api, john) == ({"refund_request": 1}, {"language": "de-DE"})


def test_a_choice_after_the_hang_up_stays_on_the_call_too(api: Api, phone: Phone, maria: str, clock: ToldClock) -> None:
    phone.line = by_pin()
    before = memory(api, maria)
    phone.call("call-1")
    phone.is_silent("call-1")
    phone.is_silent("call-1")
    phone.hangs_up("call-1")
    phone.presses("call-1", "1")
    assert memory(api, maria) == before
    api.verdict("call-1", "confirmed")
    assert memory(api, maria)[0] == REFUND


def test_who_has_nothing_to_prove_is_taken_at_their_word(api: Api, calling: Calling) -> None:
    ref = api.start("earlier", ani=ANI).json["customer_ref"]
    phone = calling(by_pin(languages=LANGUAGES))
    phone.call("call-1")
    for keys in ("2", "1"):
        phone.presses("call-1", keys)
    phone.hangs_up("call-1")
    assert memory(api, ref) == ({"refund_request": 1}, {"language": "de-DE"})


def test_who_is_known_is_taken_at_their_word(api: Api, calling: Calling, maria: str) -> None:
    api.start("by-mobile", "mobile", ani=ANI)
    phone = calling(by_pin(languages=LANGUAGES))
    phone.call("call-1")
    for keys in ("2", "1"):
        phone.presses("call-1", keys)
    phone.hangs_up("call-1")
    assert memory(api, maria) == (REFUND, {"language": "de-DE"})


def test_a_line_that_asks_for_no_proof_withholds_nothing(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    assert memory(api, maria)[0] == REFUND


def test_taken_up_again_and_proved_the_dropped_calls_words_count_once(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    phone.line = by_pin(resume_minutes=5)
    phone.call("call-1")
    phone.is_silent("call-1")
    phone.is_silent("call-1")
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    clock.advance(seconds=30)
    assert "ask_pin" in phone.call("call-2")
    assert "verified" in said(phone.presses("call-2", "4711"))
    phone.hangs_up("call-2")
    assert memory(api, maria)[0] == REFUND


def test_erasure_leaves_nothing_of_what_was_withheld(api: Api, phone: Phone, maria: str, clock: ToldClock) -> None:
    unproved(phone, clock)
    assert api.forget(maria).status_code == 200
    assert api.call("call-1").json.get("conversation") is None


def test_several_on_a_number_are_nobody_known_before_they_show_who_they_are(
    api: Api, calling: Calling, clock: ToldClock
) -> None:
    """However sure of one of them the API was when it started the call."""
    refs = []
    for name in ("maria", "john"):
        ref = api.start(f"of-{name}", "landline", ani=ANI, external_ids={"crm": name}).json["customer_ref"]
        api.end(f"of-{name}", customer_ref=ref, variables={"pin": f"471{len(refs)}"})
        refs.append(ref)
    started = api.start("call-1", ani=ANI, external_ids={"crm": "maria"}).json
    assert (started["customer_ref"], started["identity"]["recommendation"]) == (refs[0], "reuse")
    phone = calling(by_pin())
    assert "ask_pin" in phone.call("call-1")
    for digits in ("", "", "1"):
        phone.turn("call-1", digits=digits)
    phone.hangs_up("call-1")
    assert memory(api, refs[0])[0] == {}
    assert conversation(api)["opened_intents"] == ["refund_request"]
