"""An erased customer is gone from every answer and from disk, and nothing brings them back (semantics §8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.engine.model import Call
from adapter.store import calls, records
from adapter.store.transaction import Transaction
from adapter.usecases import Service, sweep
from tests import databases
from tests.builders import Api, ToldClock, Twilio, call_sid

ANI, OTHER_ANI = "+14155550123", "+14155550124"
MARIA_S = {"customer_id": "maria-12345"}


@pytest.fixture
def maria(api: Api, clock: ToldClock) -> str:
    ref = api.start("call-1", "mobile", ani=ANI, external_ids=MARIA_S).json["customer_ref"]
    api.end("call-1", "key-1", customer_ref=ref, variables={"name": "Maria Swordfish"}, intent="refund_request")
    clock.advance(seconds=60)
    return str(ref)


def test_the_receipt_names_the_customer_and_the_time(api: Api, maria: str) -> None:
    assert api.forget(maria).json == {"customer_ref": maria, "erased_at": "2026-02-07T10:31:00.000Z"}
    assert api.forget(maria).status_code == 404
    assert api.customer(maria).status_code == 404


def test_the_number_and_the_ids_are_a_stranger_s_again(api: Api, maria: str) -> None:
    api.forget(maria)
    for hints in ({"ani": ANI}, {"external_ids": MARIA_S}, {"customer_ref": maria}):
        started = api.start(f"call-{len(str(hints))}", **hints).json
        assert started["identity"]["confidence"] == 0 or started["customer_ref"] != maria
        assert started["customer_ref"] != maria
        assert (started["open_intents"], started["variables"]) == ([], {})


def test_the_call_is_kept_as_a_bare_event(api: Api, maria: str) -> None:
    api.forget(maria)
    call = api.call("call-1").json
    assert (call["ani"], call["dnis"], call["explanation"]["evidence"]) == (None, None, [])
    assert [event["event"] for event in call["timeline"]] == ["greeted", "ended"]


def test_a_replay_does_not_bring_the_erased_back(api: Api, maria: str) -> None:
    api.forget(maria)
    again = api.end("call-1", "key-1", customer_ref=maria, variables={"name": "Maria"}, intent="refund_request")
    assert again.status_code in (400, 409)
    assert api.customer(maria).status_code == 404


def test_an_end_with_only_the_erased_ref_is_refused(api: Api, maria: str) -> None:
    api.forget(maria)
    assert api.end("call-2", customer_ref=maria, variables={"name": "Maria"}).status_code == 400


def test_erased_during_the_call_its_end_makes_somebody_new(api: Api, maria: str) -> None:
    api.start("call-2", "mobile", ani=ANI)
    api.forget(maria)
    assert api.end("call-2", customer_ref=maria).status_code == 400
    ended = api.end("call-2", customer_ref=maria, identity_hints={"ani": ANI}, variables={"name": "Maria"})
    assert ended.status_code == 200
    assert ended.json["customer_ref"] != maria
    assert api.customer(maria).status_code == 404


@pytest.mark.parametrize("verdict", ["confirmed", "rejected"])
def test_a_verdict_on_a_call_of_the_erased_brings_nobody_back(api: Api, maria: str, verdict: str) -> None:
    api.start("call-2", "mobile", ani=ANI)
    api.forget(maria)
    answer = api.verdict("call-2", verdict)
    assert answer.status_code < 500
    assert api.customer(maria).status_code == 404
    again = api.start("call-3", "mobile", ani=ANI).json
    assert again["customer_ref"] != maria


def test_webhooks_of_a_call_of_the_erased_are_answered_and_bring_nobody_back(
    api: Api, twilio: Twilio, maria: str
) -> None:
    assert "Maria Swordfish" in twilio.voice(call_sid(2), ANI).text
    api.forget(maria)
    repeated = twilio.voice(call_sid(2), ANI)
    assert repeated.status_code == 200
    assert "Maria" not in repeated.text
    assert twilio.status(call_sid(2), ANI).status_code == 204
    assert api.customer(maria).status_code == 404


@pytest.mark.sqlite
def test_nothing_personal_is_left_on_disk(api: Api, service: Service, maria: str, tmp_path: Path) -> None:
    api.forget(maria)
    sweep(service)
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("calls.db*"))
    for personal in (ANI, "maria-12345", "Swordfish"):
        assert personal.encode() not in on_disk


def test_others_on_the_same_number_are_not_touched(api: Api, maria: str) -> None:
    john = api.start("call-2", "mobile", ani=ANI, external_ids={"customer_id": "john"}).json["customer_ref"]
    api.end("call-2", customer_ref=john, variables={"name": "John"})
    api.forget(maria)
    again = api.start("call-3", "mobile", ani=ANI).json
    assert (again["customer_ref"], again["variables"]["name"]["value"]) == (john, "John")


def test_a_verdict_on_an_erased_customer_finds_nobody(api: Api) -> None:
    ref = api.start("call-1", ani="+14155550123").json["customer_ref"]
    api.forget(ref)
    assert api.verdict("call-1", "confirmed").status_code == 404


def test_a_late_webhook_brings_no_number_back_to_an_erased_customer_s_call(api: Api, twilio: Twilio) -> None:
    ended = api.end(call_sid(5), identity_hints={"ani": "+14155550123"})
    api.forget(ended.json["customer_ref"])
    twilio.voice(call_sid(5), "+14155550123")
    assert api.call(call_sid(5)).json["ani"] is None


def test_an_erasure_leaves_what_others_presented_from_the_same_number(api: Api, tmp_path: Path) -> None:
    refs = [
        api.start(f"call-{name}", "landline", ani="+14155550123", external_ids={"crm": name}).json["customer_ref"]
        for name in ("maria", "john")
    ]
    assert refs[0] != refs[1]
    api.forget(refs[0])
    assert databases.count(tmp_path, "sightings") == 1


def test_the_number_goes_from_calls_of_which_only_the_hang_up_is_known(api: Api, twilio: Twilio, maria: str) -> None:
    """They are nobody's: their start was refused by a limit, or is still to come."""
    for call in (1, 2):
        twilio.status(call_sid(call), ANI if call == 1 else OTHER_ANI)
    api.forget(maria)
    assert [api.call(call_sid(call)).json["ani"] for call in (1, 2)] == [None, OTHER_ANI]


def test_of_a_number_that_is_somebody_elses_too_such_calls_stay(api: Api, twilio: Twilio, maria: str) -> None:
    api.start("call-2", "mobile", ani=ANI)
    assert api.verdict("call-2", "rejected").status_code == 200
    twilio.status(call_sid(1), ANI)
    api.forget(maria)
    assert api.call(call_sid(1)).json["ani"] == ANI


def test_what_the_erased_presented_from_a_shared_number_goes(api: Api, maria: str, tmp_path: Path) -> None:
    """A stranger on Maria's line named an id, and was rejected: nobody is known by it."""
    before = databases.count(tmp_path, "sightings")
    api.start("call-2", "mobile", ani=ANI, external_ids={"passport": "X-9"})
    stranger = api.verdict("call-2", "rejected").json["customer_ref"]
    assert stranger != maria
    assert databases.count(tmp_path, "sightings") == before + 1
    api.forget(stranger)
    assert databases.count(tmp_path, "sightings") == before


def test_a_customer_of_many_calls_is_erased_a_few_calls_at_a_time(
    api: Api, service: Service, maria: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one transaction, everybody who calls meanwhile would wait for all of them."""
    monkeypatch.setattr(records, "_CALLS_A_TRANSACTION", 2)
    for call in range(5):
        api.start(f"again-{call}", "mobile", ani=ANI)
    saved: list[int] = []
    transact = service.store.transact

    def counting(*arguments: Any, **options: Any) -> object:
        saved.append(0)
        return transact(*arguments, **options)

    save = calls.save

    def saving(tx: Transaction, call: Call) -> None:
        saved[-1] += 1
        save(tx, call)

    monkeypatch.setattr(service.store, "transact", counting)
    monkeypatch.setattr(records.calls, "save", saving)
    assert api.forget(maria).status_code == 200
    assert [number for number in saved if number] == [2, 2, 2]
    assert api.call("again-4").json["ani"] is None
