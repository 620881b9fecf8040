"""What callers do in a call and what follows from it: verdicts, a second look-up, words kept (semantics §8, §9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.engine.flow import HandOver, HangUp, neutral, unknown_turn
from adapter.engine.line import Confirm, Disclosure, DisclosureRules, ProofKind, Spoken
from adapter.engine.model import Distrust, Outcome, Turn
from adapter.store.statements import Prepared
from tests.builders import Api, ToldClock, a_line
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, DESK, MENU, OTHER_ANI, PIN, asks, by_account, by_name, by_pin, context, said

LANGUAGES = (Spoken("en-US", key="1"), Spoken("de-DE", key="2"))


def rules(api: Api, call_id: str) -> list[str]:
    return [line["rule"] for line in api.call(call_id).json["explanation"]["evidence"]]


def events(api: Api, call_id: str) -> list[str]:
    return [event["event"] for event in api.call(call_id).json["timeline"]]


def variables(api: Api, ref: str) -> dict[str, str]:
    return {name: told["value"] for name, told in api.customer(ref).json["variables"].items()}


def without_call(exported: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in exported.items() if name != "calls"}


# Confirm


def test_who_knows_the_pin_is_verified(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    assert phone.call("call-1") == ["welcome", "ask_pin"]
    assert said(phone.presses("call-1", "4711"))[0] == "verified"
    call = api.call("call-1").json
    assert (call["customer_ref"], call["identity"]["confidence"]) == (maria, 1.0)
    assert call["explanation"]["basis"] == "verified"
    assert events(api, "call-1") == ["greeted", "verdict_confirmed"]


def test_a_verified_caller_is_handed_over_as_such(calling: Calling, maria: str) -> None:
    phone = calling(by_pin(menu=None))
    phone.call("call-1")
    told = context(phone.presses("call-1", "4711"))
    assert (told["verified"], told["recommendation"], told["name"]) == ("yes", "reuse", "Maria Lopez")


def test_who_answers_wrongly_is_somebody_else_and_nothing_of_the_customer_is_touched(
    api: Api, calling: Calling, maria: str
) -> None:
    phone, before = calling(by_pin()), api.customer(maria).json
    phone.call("call-1")
    assert said(phone.presses("call-1", "1234")) == ["again", "ask_pin"]
    assert said(phone.presses("call-1", "1235"))[0] == "not_verified"
    fresh = api.call("call-1").json["customer_ref"]
    assert fresh != maria
    assert events(api, "call-1") == ["greeted", "verdict_rejected"]
    assert api.customer(maria).json == before
    assert api.customer(fresh).json["variables"] == {}


def test_silence_proves_nothing(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin(menu=None))
    phone.call("call-1")
    phone.is_silent("call-1")
    told = context(phone.is_silent("call-1"))
    assert (told["recommendation"], told["verified"]) == ("confirm", "no")
    assert api.call("call-1").json["customer_ref"] == maria
    assert "name" not in told
    assert events(api, "call-1") == ["greeted"]


def test_a_newcomer_is_not_asked_and_cannot_be_refuted(api: Api, calling: Calling) -> None:
    phone = calling(by_pin())
    assert phone.call("call-1")[:2] == ["welcome", "menu"]


def test_a_customer_who_told_no_pin_is_not_asked_for_one(api: Api, calling: Calling) -> None:
    api.start("earlier", ani=ANI)
    assert calling(by_pin()).call("call-1")[:2] == ["welcome", "menu"]


@pytest.mark.parametrize("value", ["", "none yet", "12a"])
def test_a_pin_that_cannot_be_keyed_in_is_none(api: Api, calling: Calling, value: str) -> None:
    ref = api.start("earlier", ani=ANI).json["customer_ref"]
    api.end("earlier", customer_ref=ref, variables={"pin": value})
    assert calling(by_pin()).call("call-1")[:2] == ["welcome", "menu"]


def test_what_an_agent_found_out_meanwhile_counts(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    api.verdict("call-1", "confirmed")
    assert "menu" in said(phone.is_silent("call-1"))


def test_whom_an_agent_rejected_is_not_asked_whether_they_are_somebody_after_all(
    api: Api, calling: Calling, maria: str
) -> None:
    phone = calling(by_pin(languages=LANGUAGES))
    phone.call("call-1")
    api.verdict("call-1", "rejected")
    assert "ask_pin" not in said(phone.presses("call-1", "2"))


def test_an_agents_confirmation_is_not_refuted_by_keys(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    phone.presses("call-1", "0000")
    api.verdict("call-1", "confirmed")
    phone.presses("call-1", "0001")
    assert (api.call("call-1").json["customer_ref"], events(api, "call-1")[-1]) == (maria, "verdict_confirmed")


def test_two_webhooks_of_one_turn_at_once_count_once(calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    with ThreadPoolExecutor(4) as threads:
        steps = list(threads.map(lambda keys: phone.turn("call-1", 1, digits=keys), ["0000", "4711"] * 4))
    assert all(step == steps[0] for step in steps)


@pytest.mark.parametrize("answers", [["1234", "1235"], ["4711"]], ids=["wrong", "right"])
def test_after_the_agents_end_nothing_is_decided_any_more(
    api: Api, calling: Calling, maria: str, answers: list[str]
) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    api.end("call-1", customer_ref=maria)
    before = api.call("call-1").json, without_call(api.customer(maria).json)
    for keys in answers:
        phone.presses("call-1", keys)
    after = api.call("call-1").json, without_call(api.customer(maria).json)
    assert without_conversation(after[0]) == without_conversation(before[0])
    assert after[1] == before[1]


def without_conversation(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "conversation"}


# Proofs


def test_a_name_is_proof_where_the_line_says_so(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_name())
    phone.call("call-1")
    assert context(phone.says("call-1", "my name is maria lopes"))["verified"] == "yes"


@pytest.mark.parametrize("people", [1, 2], ids=["one on the number", "several"])
def test_a_public_name_is_no_less_a_proof(
    api: Api, calling: Calling, maria: str, clock: ToldClock, people: int
) -> None:
    john = ""
    if people > 1:
        john = api.start("johns", "landline", ani=ANI, external_ids={"crm": "john"}).json["customer_ref"]
        assert john != maria
        api.end("johns", customer_ref=john, variables={"name": "Maria Lopez"})
        clock.advance(seconds=5)
    for call_id in ("call-1", "call-2"):
        api.start(call_id, ani=ANI, **({"customer_ref": john} if john else {}))
    phone = calling(by_name(disclosure=DisclosureRules({"name": Disclosure.PUBLIC})))
    heard = [phone.webhook("call-1").step, phone.says("call-1", "John Doe"), phone.says("call-1", "Paul Smith")]
    assert said(heard[-1])[0] == "not_verified"
    assert "Maria" not in repr(heard)
    phone.webhook("call-2")
    silent = [phone.is_silent("call-2") for _ in range(2)]
    assert said(silent[-1])[0] == "not_verified"
    assert "Maria" not in repr(silent)


@pytest.mark.parametrize("where", [{"variable": "card"}, {"external_id": "account"}])
def test_the_last_digits_are_proof(api: Api, calling: Calling, where: dict[str, str]) -> None:
    hints = {"account": "AB-99-1234"} if "external_id" in where else {}
    ref = api.start("earlier", ani=ANI, **({"external_ids": hints} if hints else {})).json["customer_ref"]
    api.end("earlier", customer_ref=ref, variables={"card": "5555 1234"})
    phone = calling(a_line(destination=DESK, confirm=Confirm(by=ProofKind.DIGITS, digits=4, **where)))
    phone.call("call-1")
    assert said(phone.presses("call-1", "9999"))[0] == "again"
    assert context(phone.presses("call-1", "1234"))["verified"] == "yes"


def test_an_account_that_is_too_short_to_ask_for_is_not_asked_for(api: Api, calling: Calling) -> None:
    api.start("earlier", ani=ANI, external_ids={"account": "AB-123"})
    phone = calling(a_line(confirm=Confirm(by=ProofKind.DIGITS, external_id="account", digits=4)))
    assert phone.call("call-1") == ["confirm"]


def test_what_was_presented_in_this_call_is_no_proof(api: Api, calling: Calling, clock: ToldClock) -> None:
    confirm = Confirm(by=ProofKind.DIGITS, external_id="account", digits=4, tries=1)
    ref = api.start("earlier", ani=OTHER_ANI, external_ids={"account": "991234"}).json["customer_ref"]
    clock.advance(days=2)
    phone = calling(by_account(confirm=confirm))
    phone.call("call-1", None)
    assert said(phone.presses("call-1", "991234")) == ["ask_digits"]
    assert said(phone.presses("call-1", "1234"))[0] == "not_verified"
    assert api.call("call-1").json["customer_ref"] != ref


def test_what_the_api_presented_at_the_start_is_no_proof_either(api: Api, calling: Calling) -> None:
    api.start("earlier", ani=OTHER_ANI, external_ids={"account": "991234"})
    api.start("call-1", external_ids={"account": "991234"})
    phone = calling(a_line(confirm=Confirm(by=ProofKind.DIGITS, external_id="account", digits=4, always=True)))
    assert "ask_digits" not in phone.call("call-1", None)


# Shared phone


@pytest.fixture
def family(api: Api, clock: ToldClock) -> tuple[str, str]:
    """Two on one landline, with a PIN each."""
    refs = []
    for name, pin in (("maria", "4711"), ("john", "1147")):
        started = api.start(f"of-{name}", "landline", ani=ANI, external_ids={"crm": name}).json
        told = {"name": name, "pin": pin}
        api.end(f"of-{name}", customer_ref=started["customer_ref"], variables=told, intent=f"{name}_s")
        refs.append(started["customer_ref"])
        clock.advance(seconds=1)
    assert refs[0] != refs[1]
    return refs[0], refs[1]


@pytest.mark.parametrize(("pin", "who"), [("4711", 0), ("1147", 1)])
def test_on_a_shared_phone_the_answer_decides_whose_memory_is_used(
    api: Api, calling: Calling, family: tuple[str, str], pin: str, who: int
) -> None:
    phone = calling(by_pin(menu=None))
    other = without_call(api.customer(family[1 - who]).json)
    phone.call("call-1")
    told = context(phone.presses("call-1", pin))
    assert (told["customer_ref"], told["verified"]) == (family[who], "yes")
    call = api.call("call-1").json
    assert (call["customer_ref"], call["identity"]["confidence"]) == (family[who], 1.0)
    assert without_call(api.customer(family[1 - who]).json) == other


def test_of_a_crowd_on_a_number_the_latest_are_asked_who_they_are(api: Api, calling: Calling, clock: ToldClock) -> None:
    phone = calling(by_pin(menu=None))
    refs = []
    for number in range(22):
        ref = api.start(f"of-{number}", "landline", ani=ANI, external_ids={"crm": f"{number}"}).json["customer_ref"]
        api.verdict(f"of-{number}", "confirmed")
        api.end(f"of-{number}", customer_ref=ref, variables={"pin": f"{5000 + number}"})
        refs.append(ref)
        clock.advance(seconds=1)
    verified = []
    for number in (1, 2):
        phone.call(f"call-{number}")
        phone.presses(f"call-{number}", f"{5000 + number}")
        verified.append(api.call(f"call-{number}").json["customer_ref"] == refs[number])
    assert (len({*refs}), verified) == (22, [False, True])


def test_whom_the_call_made_known_is_left_without_links(api: Api, calling: Calling, family: tuple[str, str]) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    fresh = api.call("call-1").json["customer_ref"]
    assert fresh not in family
    phone.presses("call-1", "4711")
    left = api.customer(fresh).json
    assert (left["numbers"], left["external_ids"], left["calls"]) == ([], [], [])


def test_who_is_neither_stays_nobody(api: Api, calling: Calling, family: tuple[str, str]) -> None:
    phone = calling(by_pin(menu=None))
    before = [api.customer(ref).json for ref in family]
    phone.call("call-1")
    phone.presses("call-1", "0000")
    told = context(phone.presses("call-1", "0001"))
    assert told["customer_ref"] not in family
    assert [api.customer(ref).json for ref in family] == before


def test_a_verdict_that_took_the_call_to_another_is_taken_back_whole(
    api: Api, calling: Calling, family: tuple[str, str], clock: ToldClock
) -> None:
    phone, before = calling(by_pin()), without_call(api.customer(family[0]).json)
    phone.call("call-1")
    clock.advance(seconds=5)
    phone.presses("call-1", "4711")
    api.verdict("call-1", "rejected")
    assert without_call(api.customer(family[0]).json) == before


# A second look-up


def test_an_account_named_in_the_call_finds_its_customer_once_it_is_proved(
    api: Api, calling: Calling, clock: ToldClock
) -> None:
    ref = api.start("earlier", ani=OTHER_ANI, external_ids={"account": "12345"}).json["customer_ref"]
    api.end("earlier", customer_ref=ref, variables={"name": "Maria", "pin": "4711"})
    clock.advance(days=2)
    phone = calling(by_account())
    assert phone.call("call-1", None) == ["welcome", "ask_account"]
    assert said(phone.presses("call-1", "12345")) == ["ask_pin"]
    assert api.call("call-1").json["customer_ref"] != ref
    assert rules(api, "call-1") == ["ani.missing", "external_id.named"]
    assert context(phone.presses("call-1", "4711"))["customer_ref"] == ref


def test_an_account_that_is_nobodys_is_not_remembered_for_the_caller(api: Api, calling: Calling) -> None:
    phone = calling(by_account(confirm=None))
    phone.call("call-1", None)
    fresh = api.call("call-1").json["customer_ref"]
    assert context(phone.presses("call-1", "777"))["recommendation"] == "ignore"
    assert api.call("call-1").json["customer_ref"] == fresh
    assert api.customer(fresh).json["external_ids"] == []
    assert rules(api, "call-1") == ["ani.missing", "external_id.new"]


def test_the_question_after_an_account_does_not_tell_whether_it_is_somebodys(
    api: Api, calling: Calling, clock: ToldClock
) -> None:
    api.end("earlier", identity_hints={"external_ids": {"account": "12345"}}, variables={"pin": "4711"})
    clock.advance(days=2)
    phone = calling(by_account())
    heard = []
    for call_id, account in (("call-1", "12345"), ("call-2", "54321")):
        phone.call(call_id, None)
        answers = [phone.presses(call_id, each) for each in (account, "0000", "0001")]
        heard.append([[(each.text, dict(each.facts)) for each in answer.says] for answer in answers])
    assert heard[0] == heard[1]


def test_an_account_that_could_not_be_proved_is_not_linked(api: Api, calling: Calling) -> None:
    phone = calling(by_account())
    phone.call("call-1", None)
    for keys in ("777", "0000", "0001"):
        phone.presses("call-1", keys)
    assert api.customer(api.call("call-1").json["customer_ref"]).json["external_ids"] == []


def test_who_is_refuted_after_naming_an_account_leaves_it_alone(api: Api, calling: Calling, clock: ToldClock) -> None:
    ref = api.start("earlier", ani=OTHER_ANI, external_ids={"account": "12345"}).json["customer_ref"]
    api.end("earlier", customer_ref=ref, variables={"pin": "4711"})
    clock.advance(days=2)
    before = api.customer(ref).json
    phone = calling(by_account())
    phone.call("call-1", "+14155550177")
    for keys in ("12345", "0000", "0001"):
        phone.presses("call-1", keys)
    assert api.customer(ref).json == before
    assert api.call("call-1").json["customer_ref"] != ref


def test_an_account_that_the_caller_names_is_never_enough_to_be_greeted_by_name(
    api: Api, calling: Calling, clock: ToldClock
) -> None:
    ref = api.start("earlier", "voip", ani=ANI, external_ids={"account": "12345"}).json["customer_ref"]
    api.end("earlier", customer_ref=ref)
    clock.advance(days=8)
    for call_id, distrust, cap in (("call-1", Distrust.FORWARDED, "forwarded"), ("call-2", None, "self_named")):
        phone = calling(by_account(confirm=None))
        phone.call(call_id, ANI, distrust=distrust)
        assert context(phone.presses(call_id, "12345"))["recommendation"] == "confirm"
        assert f"cap.{cap}" in rules(api, call_id)
        phone.hangs_up(call_id)
        clock.advance(days=8)


# The language


def test_a_chosen_language_is_remembered_and_not_asked_for_again(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    rules = DisclosureRules(variables={"language": Disclosure.PUBLIC})
    phone = calling(a_line(languages=LANGUAGES, disclosure=rules))
    assert "ask_language" in phone.call("call-1")
    phone.presses("call-1", "2")
    told = api.customer(maria).json["variables"]["language"]
    assert (told["value"], told["source"]) == ("de-DE", "caller")
    assert "ask_language" not in phone.call("call-2")


def test_the_language_of_who_was_taken_for_somebody_else_goes_along(api: Api, calling: Calling, maria: str) -> None:
    phone, before = calling(by_pin(languages=LANGUAGES)), api.customer(maria).json
    phone.call("call-1")
    for keys in ("2", "0000", "0001"):
        phone.presses("call-1", keys)
    assert api.customer(maria).json == before
    assert variables(api, api.call("call-1").json["customer_ref"]) == {"language": "de-DE"}


def test_after_the_agents_end_no_language_is_learned(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin(languages=LANGUAGES, confirm=None))
    phone.call("call-1")
    api.end("call-1", customer_ref=maria)
    phone.presses("call-1", "2")
    assert "language" not in variables(api, maria)


def test_a_language_that_somebody_else_changed_is_as_it_was(api: Api, calling: Calling, maria: str) -> None:
    told = {"language": {"value": "fr-FR", "source": "crm", "ttl_seconds": 999}}
    assert api.end("more", customer_ref=maria, variable_updates=told).status_code == 200
    phone, before = calling(by_pin(languages=LANGUAGES)), api.customer(maria).json
    phone.call("call-1")
    phone.presses("call-1", "2")
    phone.presses("call-1", "4711")
    assert variables(api, maria)["language"] == "de-DE"
    api.verdict("call-1", "rejected")
    assert api.customer(maria).json == before


def test_a_language_that_another_call_chose_since_stays_chosen(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    """Two calls at once from one number; the first turns out to be a stranger's."""
    phone = calling(a_line(languages=LANGUAGES))
    for call_id in ("call-1", "call-2"):
        phone.call(call_id)
    for call_id, keys in (("call-1", "2"), ("call-2", "1")):
        phone.presses(call_id, keys)
        clock.advance(seconds=1)
    chosen = variables(api, maria)["language"]
    assert chosen != "de-DE"
    api.verdict("call-1", "rejected")
    assert variables(api, maria)["language"] == chosen


# Repeated, unknown and late turns


def test_a_repeated_turn_gets_its_first_step_and_counts_once(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    first = phone.turn("call-1", 1, digits="1234")
    before = api.call("call-1").json
    assert phone.turn("call-1", 1, digits="1234") == first
    assert phone.turn("call-1", 1, digits="4711") == first
    assert api.call("call-1").json == before
    assert asks(first)


def test_a_step_given_again_is_the_same_whatever_the_line_says_by_now(calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    first = phone.turn("call-1", 1, digits="4711")
    phone.line = a_line()
    assert phone.turn("call-1", 1) == first


@pytest.mark.parametrize(
    "did",
    [{}, {"digits": "1"}, {"outcome": Outcome.BUSY}, {"outcome": Outcome.ANSWERED}, {"recorded": True}],
    ids=["silence", "a key", "busy", "answered", "recorded"],
)
@pytest.mark.parametrize(
    ("call_id", "number"), [("nobody", 1), ("call-1", 2), ("call-1", 0), ("of-the-api", 1), ("call-1", 99)]
)
def test_a_turn_we_know_nothing_of_is_answered_without_memory(
    api: Api, calling: Calling, maria: str, call_id: str, number: int, did: dict[str, Any]
) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    api.start("of-the-api", ani=ANI)
    step = phone.turn(call_id, number, **did)
    assert step == unknown_turn(phone.line, Turn(call_id, number, **did))
    assert step.turn == 0
    assert "outcome" not in did or not isinstance(step.then, HandOver)


def test_an_erased_caller_is_put_through_and_nothing_is_kept(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    api.forget(maria)
    assert phone.presses("call-1", "4711") == neutral(phone.line)
    assert api.customer(maria).status_code == 404
    assert events(api, "call-1") == ["greeted"]


def test_turns_cost_neither_rate_nor_quota(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    counted = Prepared(sa.text("SELECT * FROM usage, rate_hits"))
    with phone.service.store.read(phone.principal.realm) as tx:
        before = tx.rows(counted, {})
    phone.presses("call-1", "4711")
    phone.presses("call-1", "1")
    with phone.service.store.read(phone.principal.realm) as tx:
        assert tx.rows(counted, {}) == before


def test_when_nobody_answers_the_next_destination_is_tried(calling: Calling) -> None:
    phone = calling(a_line())
    phone.call("call-1")
    step = phone.nobody_answers("call-1")
    assert (said(step), step.then) == (["unreached"], HangUp())


def test_a_turn_after_the_hang_up_still_counts(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(a_line(menu=MENU))
    phone.call("call-1")
    phone.hangs_up("call-1")
    phone.presses("call-1", "1")
    assert [each["intent"] for each in api.customer(maria).json["intents"]] == ["moving", "refund_request"]


def test_who_proves_it_after_the_hang_up_is_verified_all_the_same(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(a_line(confirm=PIN))
    phone.call("call-1")
    phone.hangs_up("call-1")
    phone.presses("call-1", "4711")
    assert api.call("call-1").json["identity"]["confidence"] == 1.0
