"""Erasure by the caller, in the call: only of who proved who they are, and of all that is stored (semantics §8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapter.engine.flow import HangUp, Step
from adapter.engine.line import Forget, Menu, MenuOption
from adapter.usecases import Service, sweep
from tests import databases
from tests.builders import Api
from tests.usecases.phone import ANI, PIN, Phone, by_pin, context, said

MENU = Menu((MenuOption("forget_me", "9"), MenuOption("moving", "2")))
PERSONAL = ("Maria Swordfish", ANI, "maria-12345", "4711-note")


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service, by_pin(confirm=replace(PIN, always=True), menu=MENU, forget=Forget()))


@pytest.fixture
def maria(api: Api) -> str:
    hints = {"ani": ANI, "external_ids": {"customer_id": "maria-12345"}}
    variables = {"name": "Maria Swordfish", "pin": "4711", "note": "4711-note"}
    return str(api.end("before", identity_hints=hints, variables=variables).json["customer_ref"])


def asked(phone: Phone) -> Step:
    """The step at which Maria is asked whether she is to be forgotten."""
    phone.call("CA1")
    phone.presses("CA1", "4711")
    return phone.presses("CA1", "9")


def left_open(api: Api, ref: str) -> list[str]:
    return [each["intent"] for each in api.customer(ref).json["intents"] if each["status"] == "open"]


def test_a_yes_erases_everything_and_the_call_ends(phone: Phone, api: Api, maria: str) -> None:
    assert said(asked(phone)) == ["ask_forget"]
    step = phone.presses("CA1", "1")
    assert (said(step), isinstance(step.then, HangUp)) == (["forgotten"], True)
    assert api.customer(maria).status_code == 404
    call = api.call("CA1").json
    assert (call["ani"], call["dnis"], call["explanation"]["evidence"]) == (None, None, [])
    assert not call.get("conversation")
    assert api.start("after", ani=ANI).json["customer_ref"] != maria


def test_the_yes_said_twice_is_answered_twice_and_erases_nobody_else(phone: Phone, api: Api, maria: str) -> None:
    number = asked(phone).turn
    first = phone.turn("CA1", number, digits="1")
    newcomer = api.start("CA2", ani=ANI).json["customer_ref"]
    assert phone.turn("CA1", number, digits="1") == first
    assert api.customer(newcomer).status_code == 200


def test_the_hang_up_afterwards_brings_nothing_back(phone: Phone, api: Api, maria: str) -> None:
    asked(phone)
    phone.presses("CA1", "1")
    phone.hangs_up("CA1")
    assert api.customer(maria).status_code == 404
    assert api.call("CA1").json["ani"] is None


def test_a_no_erases_nothing(phone: Phone, api: Api, maria: str) -> None:
    asked(phone)
    assert said(phone.presses("CA1", "2")) == ["connecting"]
    assert api.customer(maria).json["variables"]["name"]["value"] == "Maria Swordfish"


@pytest.mark.parametrize("hung_up", ["before", "after"])
def test_who_says_no_is_not_waiting_to_be_forgotten(phone: Phone, api: Api, maria: str, hung_up: str) -> None:
    api.end("earlier", customer_ref=maria, intent="moving")
    asked(phone)
    if hung_up == "before":
        phone.hangs_up("CA1")
    step = phone.presses("CA1", "2")
    if hung_up == "after":
        phone.hangs_up("CA1")
    assert context(step)["intent"] == "moving"
    assert left_open(api, maria) == ["moving"]


def test_nor_is_who_says_no_after_the_call_was_taken_up_again(phone: Phone, api: Api, maria: str) -> None:
    phone.line = replace(phone.line, resume_minutes=5)
    asked(phone)
    phone.hangs_up("CA1")
    phone.call("CA2")
    assert said(phone.presses("CA2", "4711"))[-1] == "ask_forget"
    assert "intent" not in context(phone.presses("CA2", "2"))
    phone.hangs_up("CA2")
    assert left_open(api, maria) == []


def test_a_no_of_who_was_somebody_else_after_all_is_taken_back(phone: Phone, api: Api, maria: str) -> None:
    api.end("earlier", customer_ref=maria, intent="forget_me")
    asked(phone)
    phone.presses("CA1", "2")
    phone.hangs_up("CA1")
    api.verdict("CA1", "rejected")
    assert left_open(api, maria) == ["forget_me"]


def test_who_an_agent_found_to_be_somebody_else_meanwhile_erases_nobody(phone: Phone, api: Api, maria: str) -> None:
    asked(phone)
    api.verdict("CA1", "rejected")
    assert "forgotten" not in said(phone.presses("CA1", "1"))
    assert api.customer(maria).status_code == 200


def test_a_yes_after_the_agent_has_ended_the_call_still_counts(phone: Phone, api: Api, maria: str) -> None:
    asked(phone)
    assert api.end("CA1", customer_ref=maria).status_code == 200
    assert said(phone.presses("CA1", "1")) == ["forgotten"]
    assert api.customer(maria).status_code == 404


def test_others_on_the_number_are_not_touched(phone: Phone, api: Api, maria: str) -> None:
    hints = {"ani": ANI, "external_ids": {"customer_id": "john"}}
    john = api.end("other", identity_hints=hints, variables={"name": "John", "pin": "1234"}).json["customer_ref"]
    assert john != maria
    asked(phone)
    phone.presses("CA1", "1")
    assert (api.customer(maria).status_code, api.customer(john).status_code) == (404, 200)


def test_who_did_not_prove_it_is_put_through_unasked(phone: Phone, api: Api, maria: str) -> None:
    phone.call("CA1")
    phone.is_silent("CA1")
    phone.is_silent("CA1")
    assert said(phone.presses("CA1", "9")) == ["connecting"]
    assert api.customer(maria).status_code == 200


@pytest.mark.sqlite
def test_nothing_of_them_is_left_in_the_file(phone: Phone, service: Service, maria: str, tmp_path: Path) -> None:
    asked(phone)
    phone.presses("CA1", "1")
    sweep(service)
    service.store.compact()
    on_disk = b"".join(file.read_bytes() for file in tmp_path.glob("calls.db*"))
    assert [mark for mark in PERSONAL if mark.encode() in on_disk] == []
    assert databases.count(tmp_path, "tombstones") == 1
