"""What a conversation leaves open when its call is over: once, in any order, with its owner (semantics §7, §9)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from adapter.engine.line import Destination, DestinationKind, Line
from adapter.engine.model import HangUp, Hints, Outcome
from adapter.store import calls
from adapter.usecases import Service
from adapter.usecases.end import hang_up
from tests.builders import AGENTS, Api, ToldClock, a_line
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, MENU, PIN, Phone, by_pin, offering, said


def intents(api: Api, ref: str) -> dict[str, tuple[str, int]]:
    return {each["intent"]: (each["status"], each["attempt_count"]) for each in api.customer(ref).json["intents"]}


def whose(api: Api, call_id: str = "call-1") -> str:
    return str(api.call(call_id).json["customer_ref"])


@pytest.fixture
def phone(calling: Calling, maria: str) -> Phone:
    """Maria, who left `moving` open once, calls a line with a menu and chooses a refund."""
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    phone.presses("call-1", "1")
    return phone


def test_a_chosen_intent_counts_when_the_caller_hangs_up(api: Api, phone: Phone, maria: str) -> None:
    assert intents(api, maria) == {"moving": ("open", 1)}
    phone.hangs_up("call-1")
    assert intents(api, maria) == {"moving": ("open", 1), "refund_request": ("open", 1)}


def test_an_end_through_the_api_alone_is_an_end_too(api: Api, phone: Phone, maria: str) -> None:
    api.end("call-1", customer_ref=maria)
    assert intents(api, maria) == {"moving": ("open", 1), "refund_request": ("open", 1)}


def test_an_intent_chosen_in_several_calls_counts_each_of_them(api: Api, phone: Phone, maria: str) -> None:
    phone.hangs_up("call-1")
    phone.call("call-2")
    phone.presses("call-2", "1")
    phone.hangs_up("call-2")
    assert intents(api, maria)["refund_request"] == ("open", 2)


@pytest.mark.parametrize("order", ["SESE", "SSEE", "ESES"])
def test_calls_that_overlap_count_once_each_however_often_they_say_it(
    api: Api, calling: Calling, maria: str, order: str
) -> None:
    """Their hang-ups (S) and the agents' notes (E) come alternately of the one and of the other."""
    phone = calling(a_line(menu=MENU))
    came = {"S": 0, "E": 0}
    for call in ("call-1", "call-2"):
        phone.call(call)
        phone.presses(call, "1")
    for message in order:
        came[message] += 1
        if message == "S":
            phone.hangs_up(f"call-{came[message]}")
        else:
            api.end(f"call-{came[message]}", customer_ref=maria, intent="refund_request", intent_status="open")
    assert intents(api, maria)["refund_request"] == ("open", 2)


def test_a_late_turn_counts_what_it_opens_and_nothing_again(api: Api, calling: Calling, maria: str) -> None:
    """What became of the first call's hand-over is told after the second call was about the same."""
    rings_back = Destination(DestinationKind.CALLBACK)
    agents = Destination(DestinationKind.DIAL, AGENTS, after={Outcome.NO_ANSWER: "callback"})
    phone = calling(a_line(menu=MENU, destination=agents, destinations={"callback": rings_back}))
    for call in ("call-1", "call-2"):
        phone.call(call)
        phone.presses(call, "1")
        phone.hangs_up(call)
    phone.nobody_answers("call-1")
    left = intents(api, maria)
    assert (left["refund_request"], left["callback_request"]) == (("open", 2), ("open", 1))


@pytest.mark.parametrize("order", ["".join(each) for each in permutations("TSE")])
@pytest.mark.parametrize(
    ("status", "left"), [("resolved", ("resolved", 0)), ("open", ("open", 1))], ids=["resolved", "open"]
)
def test_what_the_agent_says_of_it_wins_whichever_came_first(
    api: Api, calling: Calling, maria: str, order: str, status: str, left: tuple[str, int]
) -> None:
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    for message in order:
        if message == "T":
            phone.presses("call-1", "1")
        elif message == "S":
            phone.hangs_up("call-1")
        else:
            api.end("call-1", customer_ref=maria, intent="refund_request", intent_status=status)
    assert intents(api, maria)["refund_request"] == left


@pytest.mark.parametrize("order", ["SE", "ES"])
def test_an_end_that_says_nothing_of_it_leaves_it_open(api: Api, phone: Phone, maria: str, order: str) -> None:
    for message in order:
        if message == "S":
            phone.hangs_up("call-1")
        else:
            api.end("call-1", customer_ref=maria, intent="moving", intent_status="resolved")
    assert intents(api, maria) == {"moving": ("resolved", 0), "refund_request": ("open", 1)}


@pytest.mark.parametrize("order", ["".join(each) for each in permutations("TSE")])
def test_hang_up_end_and_a_late_turn_come_to_the_same_in_any_order(
    api: Api, calling: Calling, maria: str, order: str
) -> None:
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    for message in order:
        if message == "T":
            phone.presses("call-1", "1")
        elif message == "S":
            phone.hangs_up("call-1")
        else:
            api.end("call-1", customer_ref=maria, intent="moving", intent_status="resolved")
    assert intents(api, maria) == {"moving": ("resolved", 0), "refund_request": ("open", 1)}


def test_an_intent_resolved_by_a_later_call_is_not_opened_by_an_earlier_calls_late_hang_up(
    api: Api, phone: Phone, maria: str, clock: ToldClock
) -> None:
    late = HangUp("call-1", Hints(ani=ANI), clock.now())
    clock.advance(hours=1)
    api.end("call-2", customer_ref=maria, intent="refund_request", intent_status="resolved")
    hang_up(phone.service, phone.principal, late)
    assert intents(api, maria)["refund_request"] == ("resolved", 0)


CALLING_BACK = {
    "destination": Destination(DestinationKind.DIAL, AGENTS, after={Outcome.NO_ANSWER: "back"}),
    "destinations": {"back": Destination(DestinationKind.CALLBACK)},
}


@pytest.mark.parametrize("hung_up", ["before", "between", "after"])
def test_a_promise_to_ring_back_is_an_open_intent(api: Api, calling: Calling, maria: str, hung_up: str) -> None:
    phone = calling(a_line(menu=MENU, **CALLING_BACK))
    phone.call("call-1")
    for moment, act in (
        ("before", lambda: phone.presses("call-1", "1")),
        ("between", lambda: phone.nobody_answers("call-1")),
    ):
        if hung_up == moment:
            phone.hangs_up("call-1")
        act()
    if hung_up == "after":
        phone.hangs_up("call-1")
    assert intents(api, maria) == {
        "moving": ("open", 1),
        "refund_request": ("open", 1),
        "callback_request": ("open", 1),
    }


def test_what_the_greeting_promises_counts_even_if_the_hang_up_came_first(
    api: Api, calling: Calling, maria: str
) -> None:
    phone = calling(a_line(destination=Destination(DestinationKind.CALLBACK)))
    phone.hangs_up("call-1")
    phone.call("call-1")
    assert intents(api, maria)["callback_request"] == ("open", 1)


def by_pin_then_back(**changes: Any) -> Line:
    return by_pin(**CALLING_BACK, confirm=replace(PIN, lockout_failures=1, tries=1), **changes)


@pytest.mark.parametrize(
    ("keys", "says", "promised"), [("", "unreached", None), ("4711", "callback", ("open", 1))], ids=["silent", "proved"]
)
def test_who_has_a_proof_to_give_is_promised_only_what_can_be_kept(
    api: Api, calling: Calling, maria: str, keys: str, says: str, promised: object
) -> None:
    phone = calling(by_pin_then_back(menu=None))
    phone.call("call-1")
    phone.presses("call-1", keys)
    assert said(phone.nobody_answers("call-1")) == [says]
    phone.hangs_up("call-1")
    assert intents(api, maria).get("callback_request") == promised
    opened = api.call("call-1").json["conversation"]["opened_intents"]
    assert ("callback_request" in opened) is (promised is not None)


def test_nor_is_who_is_locked_out_and_not_even_asked(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin_then_back(menu=None))
    phone.call("call-0")
    phone.presses("call-0", "0000")
    phone.line = replace(phone.line, destination=Destination(DestinationKind.CALLBACK))
    assert phone.call("call-1")[-1] == "unreached"


def test_the_promise_to_who_was_somebody_else_is_with_the_number_of_the_call(
    api: Api, calling: Calling, maria: str
) -> None:
    phone = calling(by_pin_then_back(menu=None))
    phone.call("call-1")
    phone.presses("call-1", "0000")
    assert said(phone.nobody_answers("call-1")) == ["callback"]
    phone.hangs_up("call-1")
    newcomer = api.customer(api.call("call-1").json["customer_ref"]).json
    assert newcomer["intents"][0]["intent"] == "callback_request"
    assert [each["ani"] for each in newcomer["calls"]] == [ANI]
    assert "callback_request" not in intents(api, maria)


# With somebody else after all


@pytest.mark.parametrize("order", ["SR", "RS"])
def test_a_rejected_callers_words_are_theirs_whether_they_hung_up_before_or_after(
    api: Api, phone: Phone, maria: str, order: str
) -> None:
    before = api.customer(maria).json["intents"]
    for message in order:
        if message == "S":
            phone.hangs_up("call-1")
        else:
            assert api.verdict("call-1", "rejected").status_code == 200
    assert whose(api) != maria
    assert api.customer(maria).json["intents"] == before
    assert intents(api, whose(api)) == {"refund_request": ("open", 1)}


def test_an_intent_that_was_open_before_is_as_it_was(api: Api, calling: Calling, maria: str) -> None:
    api.end("more", customer_ref=maria, intent_updates=[{"intent": "refund_request", "resolution": {"case": 7}}])
    before = api.customer(maria).json
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    assert intents(api, maria)["refund_request"] == ("open", 2)
    api.verdict("call-1", "rejected")
    assert api.customer(maria).json == before


def test_what_another_call_said_of_it_since_stays_said(api: Api, phone: Phone, maria: str) -> None:
    phone.hangs_up("call-1")
    api.start("call-2", ani=ANI)
    api.end("call-2", customer_ref=maria, intent="refund_request")
    assert intents(api, maria)["refund_request"] == ("open", 2)
    api.verdict("call-1", "rejected")
    assert intents(api, maria)["refund_request"] == ("open", 1)


def test_what_another_call_resolved_since_stays_resolved(api: Api, phone: Phone, maria: str) -> None:
    phone.hangs_up("call-1")
    api.start("call-2", ani=ANI)
    api.end("call-2", customer_ref=maria, intent="refund_request", intent_status="resolved")
    api.verdict("call-1", "rejected")
    assert intents(api, maria)["refund_request"] == ("resolved", 0)


def test_what_was_offered_out_of_the_others_memory_does_not_go_along(api: Api, calling: Calling) -> None:
    ref = api.start("earlier", "mobile", ani=ANI).json["customer_ref"]
    api.end("earlier", customer_ref=ref, intent="moving")
    before = api.customer(ref).json["intents"]
    phone = calling(offering())
    assert "offer" in phone.call("call-1")
    phone.presses("call-1", "1")
    phone.hangs_up("call-1")
    api.verdict("call-1", "rejected")
    assert api.customer(ref).json["intents"] == before
    assert intents(api, whose(api)) == {}


def test_of_what_was_offered_out_of_the_others_memory_nothing_is_left_on_the_call(
    api: Api, service: Service, calling: Calling
) -> None:
    """Nobody who erases the other would find it there."""
    ref = api.start("earlier", "mobile", ani=ANI).json["customer_ref"]
    api.end("earlier", customer_ref=ref, intent="moving")
    phone = calling(offering())
    assert "offer" in phone.call("call-1")
    api.verdict("call-1", "rejected")
    with service.store.read(phone.principal.realm) as tx:
        call = calls.find(tx, "call-1")
    assert call is not None
    assert call.talk is not None
    assert call.talk.offered == ()


@pytest.mark.parametrize("order", ["SE", "ES"])
def test_an_end_of_another_customer_takes_the_callers_words_along(
    api: Api, phone: Phone, maria: str, order: str
) -> None:
    before = api.customer(maria).json["intents"]
    john = api.start("of-john", external_ids={"crm": "john"}).json["customer_ref"]
    for message in order:
        if message == "S":
            phone.hangs_up("call-1")
        else:
            api.end("call-1", customer_ref=john)
    assert api.customer(maria).json["intents"] == before
    assert intents(api, john) == {"refund_request": ("open", 1)}


@pytest.mark.parametrize("hung_up_before", range(4))
def test_who_fails_the_question_leaves_the_others_memory_alone_wherever_they_hang_up(
    api: Api, calling: Calling, maria: str, hung_up_before: int
) -> None:
    before: dict[str, Any] = api.customer(maria).json
    phone = calling(by_pin())
    phone.call("call-1")
    for place, keys in enumerate(("0000", "0001", "1")):
        if place == hung_up_before:
            phone.hangs_up("call-1")
        phone.presses("call-1", keys)
    if hung_up_before == 3:
        phone.hangs_up("call-1")
    assert api.customer(maria).json == before
    assert intents(api, whose(api)) == {"refund_request": ("open", 1)}
