"""What an agent finds out in the call: confirmed or rejected, and what the next calls make of it (semantics §8)."""

from __future__ import annotations

import pytest

from tests.builders import Api, ToldClock, Twilio, call_sid

ANI = "+14155550123"
MARIA_S = {"customer_id": "maria"}


@pytest.fixture
def maria(api: Api, clock: ToldClock) -> str:
    """Called from her mobile three days ago, told her name, left a question open."""
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria"}, intent="refund_request")
    clock.advance(days=3)
    return str(ref)


def numbers(api: Api, ref: str) -> list[str]:
    return [link["ani"] for link in api.customer(ref).json["numbers"]]


def test_a_confirmed_caller_is_certain_and_is_told_everything(api: Api, maria: str) -> None:
    api.start("call-2", ani=ANI)
    told = api.verdict("call-2", "confirmed").json
    assert told["customer_ref"] == maria
    assert (told["identity"]["confidence"], told["identity"]["level"]) == (1.0, "very_high")
    assert told["identity"]["recommendation"] == "reuse"
    assert told["variables"]["name"]["value"] == "Maria"
    assert told["open_intents"][0]["intent"] == "refund_request"
    assert set(told) == {"call_id", "customer_ref", "call_start", "identity", "open_intents", "variables"}


def test_a_confirmed_newcomer_owns_the_number_from_now_on(api: Api, maria: str) -> None:
    fresh = api.start("call-2", "landline", ani=ANI, external_ids={"customer_id": "john"}).json["customer_ref"]
    assert fresh != maria
    api.verdict("call-2", "confirmed")
    assert numbers(api, fresh) == [ANI]


def test_a_rejected_caller_gets_a_fresh_ref_for_the_rest_of_the_call(api: Api, maria: str) -> None:
    before = api.customer(maria).json
    api.start("call-2", ani=ANI)
    told = api.verdict("call-2", "rejected").json
    assert told["customer_ref"] != maria
    assert told["identity"] == {"confidence": 0, "level": "low", "sources": [], "recommendation": "ignore"}
    assert (told["open_intents"], told["variables"]) == ([], {})
    ended = api.end("call-2", customer_ref=told["customer_ref"], variables={"name": "John"}).json
    assert ended["customer_ref"] == told["customer_ref"]
    assert api.customer(maria).json == before


def test_after_the_wrap_up_window_a_verdict_changes_nothing(
    api: Api, twilio: Twilio, clock: ToldClock, maria: str
) -> None:
    twilio.voice(call_sid(2), ANI)
    twilio.status(call_sid(2), ANI)
    clock.advance(hours=24)
    assert api.verdict(call_sid(2), "confirmed").status_code == 200
    clock.advance(ms=1)
    before = api.customer(maria).json
    late = api.verdict(call_sid(2), "rejected")
    assert (late.status_code, "wrap-up window is over" in late.json["message"]) == (409, True)
    assert api.customer(maria).json == before


def test_an_id_that_a_later_call_proved_is_not_an_earlier_ones_to_undo(api: Api, clock: ToldClock, maria: str) -> None:
    api.start("call-2", "mobile", ani=ANI, external_ids=MARIA_S)
    clock.advance(hours=1)
    api.start("call-3", "mobile", ani=ANI, external_ids=MARIA_S)
    api.verdict("call-3", "confirmed")
    clock.advance(hours=1)
    api.verdict("call-2", "rejected")
    assert api.customer(maria).json["external_ids"] == [{"key": "customer_id", "value": "maria"}]


def test_links_made_by_a_rejected_call_are_undone(api: Api, maria: str) -> None:
    api.start("call-2", "mobile", ani=ANI, external_ids=MARIA_S)
    assert api.customer(maria).json["external_ids"] == [{"key": "customer_id", "value": "maria"}]
    api.verdict("call-2", "rejected")
    assert api.customer(maria).json["external_ids"] == []


def test_the_doubt_keeps_the_next_caller_from_being_greeted_by_name(
    api: Api, maria: str, clock: ToldClock, twilio: Twilio
) -> None:
    api.start("call-2", ani=ANI)
    api.verdict("call-2", "rejected")
    clock.advance(seconds=60)
    assert "Maria" not in twilio.voice(call_sid(3), ANI).text
    by_ref = api.start("call-4", ani=ANI, customer_ref=maria).json
    assert by_ref["customer_ref"] == maria


def test_a_doubted_external_id_is_asked_about_again_until_confirmed(api: Api, clock: ToldClock) -> None:
    ref = api.start("call-1", "mobile", ani=ANI, external_ids=MARIA_S).json["customer_ref"]
    api.end("call-1", customer_ref=ref, variables={"name": "Maria"})
    assert api.start("call-2", "mobile", ani=ANI, external_ids=MARIA_S).json["identity"]["confidence"] == 0.9
    api.verdict("call-2", "rejected")
    clock.advance(seconds=60)
    doubted = api.start("call-3", "mobile", ani=ANI, external_ids=MARIA_S).json
    assert (doubted["customer_ref"], doubted["identity"]["confidence"]) == (ref, 0.45)
    assert doubted["identity"]["recommendation"] == "confirm"
    api.verdict("call-3", "confirmed")
    api.end("call-3", customer_ref=ref)
    clock.advance(seconds=60)
    trusted = api.start("call-4", "mobile", ani=ANI, external_ids=MARIA_S).json
    assert (trusted["customer_ref"], trusted["identity"]["recommendation"]) == (ref, "reuse")


@pytest.mark.parametrize("verdict", ["confirmed", "rejected"])
def test_the_same_verdict_again_changes_nothing(api: Api, maria: str, verdict: str) -> None:
    api.start("call-2", ani=ANI)
    first = api.verdict("call-2", verdict)
    before = api.call("call-2").json, api.customer(first.json["customer_ref"]).json
    again = api.verdict("call-2", verdict)
    assert (again.status_code, again.json) == (200, first.json)
    assert (api.call("call-2").json, api.customer(first.json["customer_ref"]).json) == before


def test_a_verdict_needs_a_call_that_lasts(api: Api, maria: str) -> None:
    assert api.verdict("call-9", "confirmed").status_code == 404
    ended = api.verdict("call-1", "confirmed")
    assert ended.status_code == 409
    assert ended.json["details"]["customer_ref"] == maria
    api.start("call-2", ani=ANI)
    assert api.verdict("call-2", "perhaps").status_code == 400


def test_a_verdict_may_come_while_the_agent_writes_the_notes(api: Api, maria: str, twilio: Twilio) -> None:
    twilio.voice(call_sid(2), ANI)
    twilio.status(call_sid(2), ANI)
    assert api.verdict(call_sid(2), "confirmed").json["identity"]["confidence"] == 1.0


def test_the_call_remembers_the_verdict_and_why(api: Api, maria: str, clock: ToldClock) -> None:
    api.start("call-2", ani=ANI)
    clock.advance(seconds=9)
    api.verdict("call-2", "confirmed")
    call = api.call("call-2").json
    assert [event["event"] for event in call["timeline"]] == ["greeted", "verdict_confirmed"]
    assert call["explanation"]["basis"] == "verified"
    assert call["explanation"]["evidence"][-1]["rule"] == "verdict.confirmed"


def test_an_end_that_names_the_rejected_customer_brings_them_back_on_the_agent_s_word(api: Api, maria: str) -> None:
    """A known customer_ref that differs from the call's: the end's wins (semantics §7)."""
    api.start("call-2", ani=ANI)
    api.verdict("call-2", "rejected")
    assert api.end("call-2", customer_ref=maria).json["customer_ref"] == maria


def test_whoever_a_call_made_known_is_told_what_another_call_learnt_meanwhile(api: Api) -> None:
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    api.start("call-2", "mobile", ani=ANI)
    api.end("call-2", customer_ref=ref, variables={"name": "Maria"})
    assert api.verdict("call-1", "confirmed").json["variables"]["name"]["value"] == "Maria"


@pytest.mark.parametrize("order", ["VS", "SV"])
def test_a_rejected_caller_was_no_contact_of_the_one_who_was_found(
    api: Api, maria: str, twilio: Twilio, order: str
) -> None:
    """Whichever webhook came first (semantics §9): the hang-up dates the start back, the contact was later."""
    before = api.customer(maria).json
    for message in order:
        (twilio.voice if message == "V" else twilio.status)(call_sid(2), ANI)
    assert api.call(call_sid(2)).json["customer_ref"] == maria
    api.verdict(call_sid(2), "rejected")
    assert api.customer(maria).json == before


def test_a_rejection_leaves_alone_what_a_later_call_confirmed(api: Api, clock: ToldClock) -> None:
    ref = api.start("call-1", "mobile", ani=ANI).json["customer_ref"]
    clock.advance(seconds=1)
    assert api.start("call-2", ani=ANI).json["customer_ref"] == ref
    assert api.verdict("call-2", "confirmed").status_code == 200
    clock.advance(seconds=1)
    api.verdict("call-1", "rejected")
    assert [number["ani"] for number in api.customer(ref).json["numbers"]] == [ANI]


def test_a_rejection_leaves_alone_that_another_call_saw_the_customer_meanwhile(
    api: Api, maria: str, clock: ToldClock
) -> None:
    """Even in the very moment in which this call was confirmed: it had seen its customer at its greeting."""
    api.start("call-2", ani=ANI)
    clock.advance(seconds=1)
    api.verdict("call-2", "confirmed")
    api.end("notes", customer_ref=maria)
    seen = api.customer(maria).json["last_contact"]
    api.verdict("call-2", "rejected")
    assert api.customer(maria).json["last_contact"] == seen


def test_an_erased_customer_is_not_welcomed_back_by_a_repeated_webhook(api: Api, maria: str, twilio: Twilio) -> None:
    assert "Welcome back" in twilio.voice(call_sid(3), ANI).text
    api.forget(maria)
    assert "Welcome back" not in twilio.voice(call_sid(3), ANI).text


def test_an_end_of_another_customer_takes_number_and_ids_along(api: Api, clock: ToldClock) -> None:
    other = api.start("call-1", external_ids={"email": "maria@example.com"}).json["customer_ref"]
    clock.advance(seconds=1)
    api.start("call-2", "mobile", ani="+14155550177", external_ids={"crm": "7"})
    ended = api.end("call-2", customer_ref=other, identity_hints={"ani": "+14155550177", "external_ids": {"crm": "7"}})
    assert ended.json["customer_ref"] == other
    kept = api.customer(other).json
    assert [number["ani"] for number in kept["numbers"]] == ["+14155550177"]
    assert {(pair["key"], pair["value"]) for pair in kept["external_ids"]} == {
        ("email", "maria@example.com"),
        ("crm", "7"),
    }


@pytest.mark.parametrize("verdict", ["confirmed", "rejected"])
def test_a_verdict_is_about_the_customer_the_call_had_then(
    api: Api, maria: str, twilio: Twilio, clock: ToldClock, verdict: str
) -> None:
    other = api.start("johns", external_ids={"customer_id": "john"}).json["customer_ref"]
    twilio.voice(call_sid(2), ANI)
    api.verdict(call_sid(2), verdict)
    clock.advance(seconds=5)
    assert api.end(call_sid(2), customer_ref=other).json["customer_ref"] == other
    call = api.call(call_sid(2)).json
    assert call["conversation"]["verified"] is False
    assert "verdict_" + verdict not in [event["event"] for event in call["timeline"]]
    lines = [line for line in call["explanation"]["evidence"] if line["kind"] == "verdict"]
    assert [(line["rule"], line["counted"], line["weight"]) for line in lines] == [(f"verdict.{verdict}", False, 0)]
