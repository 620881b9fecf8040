"""Webhooks that come late, again, or after the end: the same answers, and the same memory in the end."""

from __future__ import annotations

import pytest

from adapter.replay import HANG_UP, Call, Held, Keys, Script, WsgiExchange, answered
from tests.builders import AUTH_TOKEN, PUBLIC_URL, Api

from .conftest import Phone
from .world import FULL, MENU, Person, a_number, known


def test_every_webhook_again_after_the_call_gets_its_first_answer(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = Person({"name": "Maria Lopez", "pin": "4711"}).remembered(api, number)
    phone.calls(number, "1#", "4711#", "1", answered())
    before = api.customer(ref).json
    # A whisper tells an agent what is so now: of a call that is over there is nothing to tell.
    for place in [at for at, ((_, url, _), _) in enumerate(phone.sent.sent) if "/whisper/" not in url]:
        reply = phone.sent.again(place)
        assert (reply.status, reply.body) == (phone.sent.sent[place][1].status, phone.sent.sent[place][1].body)
    assert api.customer(ref).json == before


def test_a_choice_that_arrives_after_the_hang_up_is_remembered(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    held = Held(WsgiExchange(phone.app, PUBLIC_URL, AUTH_TOKEN), lambda url: "/turn/" in url)
    call = Call(number, FULL)
    phone.network(held).play(call, Script(Keys("1", hangs_up=True)))
    assert intents(api, ref) == {}
    held.release()
    assert intents(api, ref) == {"refund_request": 1}


def test_an_agents_word_of_the_intent_wins_whenever_the_choice_arrives(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    held = Held(WsgiExchange(phone.app, PUBLIC_URL, AUTH_TOKEN), lambda url: "/turn/" in url)
    call = Call(number, FULL)
    phone.network(held).play(call, Script(Keys("1", hangs_up=True)))
    resolved = [{"intent": "refund_request", "status": "resolved"}]
    assert api.end(call.sid, customer_ref=ref, intent_updates=resolved).status_code == 200
    held.release()
    assert intents(api, ref) == {}


def test_a_wrap_up_resolves_what_the_caller_chose(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    played = phone.calls(number, "1", answered())
    assert intents(api, ref) == {"refund_request": 1}
    resolved = [{"intent": "refund_request", "status": "resolved"}]
    assert api.end(played.call_sid, customer_ref=ref, intent_updates=resolved).status_code == 200
    assert intents(api, ref) == {}


def test_a_wrap_up_that_leaves_it_open_counts_no_second_attempt(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    played = phone.calls(number, "1", answered())
    assert api.end(played.call_sid, customer_ref=ref, intent="refund_request").status_code == 200
    assert intents(api, ref) == {"refund_request": 1}


def test_a_late_hang_up_counts_the_choice_once(phone: Phone, api: Api) -> None:
    number = a_number()
    ref = known(name="Maria Lopez").remembered(api, number)
    held = Held(WsgiExchange(phone.app, PUBLIC_URL, AUTH_TOKEN), lambda url: url.endswith("/status"))
    call = Call(number, FULL)
    phone.network(held).play(call, Script("1", answered()))
    assert api.end(call.sid, customer_ref=ref).status_code == 200
    held.release()
    assert intents(api, ref) == {"refund_request": 1}


def test_an_agent_who_finds_somebody_else_takes_the_choice_along(phone: Phone, api: Api) -> None:
    """Rejected after the hang-up: what the stranger chose is not Maria's."""
    number = a_number()
    ref = known({"refund_request": 1}, name="Maria Lopez").remembered(api, number)
    played = phone.calls(number, "2", "1", answered())
    assert played.said.startswith(f"WELCOME_BACK Maria Lopez OFFER refund 1? {MENU}")
    assert intents(api, ref) == {"refund_request": 2}
    stranger = api.verdict(played.call_sid, "rejected").json["customer_ref"]
    assert stranger != ref
    assert intents(api, ref) == {"refund_request": 1}
    assert intents(api, stranger) == {"refund_request": 1}


@pytest.mark.parametrize("turn", [2, 7, 10**9], ids=["ahead", "further ahead", "absurd"])
def test_a_turn_that_cannot_be_yet_puts_the_caller_through_and_changes_nothing(
    phone: Phone, api: Api, turn: int
) -> None:
    number = a_number()
    known(name="Maria Lopez").remembered(api, number)
    call = Call(number, FULL)
    phone.network(status=None).play(call, Script(HANG_UP))
    fields = {**call.fields("AC" + "a" * 32), "Digits": "1", "CallStatus": "in-progress"}
    reply = phone.sent.send("POST", f"{PUBLIC_URL}/twilio/turn/{turn}", fields)
    assert reply.status == 200
    assert b"NEUTRAL" in reply.body
    assert b"<Enqueue" in reply.body
    assert api.call(call.sid).json["conversation"]["intent"] in (None, "")


def test_a_turn_of_a_call_that_never_began_puts_the_caller_through(phone: Phone) -> None:
    call = Call(a_number(), FULL)
    fields = {**call.fields("AC" + "a" * 32), "SpeechResult": "refund", "CallStatus": "in-progress"}
    reply = phone.sent.send("POST", f"{PUBLIC_URL}/twilio/turn/1", fields)
    assert (reply.status, b"NEUTRAL" in reply.body) == (200, True)


def test_an_outcome_of_a_call_that_never_began_rings_nobody(phone: Phone) -> None:
    call = Call(a_number(), FULL)
    fields = {**call.fields("AC" + "a" * 32), "DialCallStatus": "busy", "CallStatus": "in-progress"}
    reply = phone.sent.send("POST", f"{PUBLIC_URL}/twilio/turn/1", fields)
    assert reply.status == 200
    assert b"<Dial" not in reply.body
    assert b"<Enqueue" not in reply.body


def intents(api: Api, ref: str) -> dict[str, int]:
    found = api.customer(ref).json["intents"]
    return {each["intent"]: each["attempt_count"] for each in found if each["status"] == "open"}
