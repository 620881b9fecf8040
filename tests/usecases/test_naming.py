"""An account that a caller names proves nobody: until it is proved, who is who stays as it was (semantics §5, §9)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from adapter.engine.line import Confirm, Line, ProofKind
from adapter.engine.model import Call, LineType, Undo
from adapter.store import calls
from adapter.store.statements import Prepared
from adapter.usecases import line_types
from tests.builders import Api, ToldClock
from tests.usecases.conftest import Calling
from tests.usecases.phone import MENU, Phone, by_account, context, said

HOME, STRANGE = "+14155550124", "+14155550177"
LINES = {"with confirm": by_account(menu=MENU), "without": by_account(confirm=None, menu=MENU)}
ENDINGS = {"hangs up": (), "keeps silent": (None, None), "guesses wrongly": ("0000", "0001")}


@pytest.fixture
def maria(api: Api, clock: ToldClock) -> str:
    """She has an account and a PIN, and calls from a mobile."""
    started = api.start("earlier", "mobile", ani=HOME, external_ids={"account": "12345"})
    ref: str = started.json["customer_ref"]
    api.end("earlier", customer_ref=ref, variables={"name": "Maria", "pin": "4711"})
    clock.advance(days=2)
    return ref


def named(phone: Phone, account: str, answers: tuple[str | None, ...], call_id: str = "call-1") -> None:
    """Somebody calls from a strange number, names an account, answers, and hangs up."""
    phone.call(call_id, STRANGE)
    phone.presses(call_id, account)
    for each in answers:
        phone.turn(call_id, digits=each or "")
    phone.hangs_up(call_id, STRANGE)


def who_is_who(api: Api, ref: str) -> dict[str, Any]:
    exported: dict[str, Any] = api.customer(ref).json
    return {name: exported[name] for name in ("numbers", "external_ids", "last_contact")}


def sightings(phone: Phone) -> list[Any]:
    with phone.service.store.read(phone.principal.realm) as tx:
        return tx.rows(Prepared(sa.text("SELECT pair, ani, seen_at FROM sightings")), {})


@pytest.mark.parametrize("answers", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("account", ["12345", "777"], ids=["hers", "nobody's"])
def test_naming_an_account_changes_nothing_in_who_is_who(
    api: Api, calling: Calling, maria: str, account: str, line: Line, answers: tuple[str | None, ...]
) -> None:
    phone = calling(line)
    before, seen = who_is_who(api, maria), sightings(phone)
    named(phone, account, answers)
    assert (who_is_who(api, maria), sightings(phone)) == (before, seen)
    assert api.customer(api.call("call-1").json["customer_ref"]).json["external_ids"] in ([], before["external_ids"])


@pytest.mark.parametrize("answers", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_who_named_an_account_and_did_not_prove_it_is_greeted_as_a_stranger_the_next_time(
    api: Api, calling: Calling, maria: str, clock: ToldClock, line: Line, answers: tuple[str | None, ...]
) -> None:
    phone = calling(line)
    named(phone, "12345", answers)
    line_types.note(phone.service, phone.principal, STRANGE, LineType.MOBILE)
    clock.advance(hours=1)
    greeting = phone.webhook("call-2", STRANGE)
    assert not any(each.facts.get("name") for each in greeting.step.says)
    assert api.call("call-2").json["customer_ref"] != maria


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_an_account_that_nobody_has_yet_cannot_be_occupied(
    api: Api, calling: Calling, clock: ToldClock, line: Line
) -> None:
    phone = calling(line)
    named(phone, "555", ())
    squatter = api.call("call-1").json["customer_ref"]
    started = api.start("crm", ani=HOME, external_ids={"account": "555"}).json
    assert (started["customer_ref"] == squatter, started["identity"]["recommendation"]) == (False, "ignore")


def test_until_it_is_proved_the_call_is_its_own_customers(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(LINES["with confirm"])
    phone.call("call-1", STRANGE)
    fresh = api.call("call-1").json["customer_ref"]
    assert said(phone.presses("call-1", "12345")) == ["ask_pin"]
    assert api.call("call-1").json["customer_ref"] == fresh != maria


def test_who_proves_it_is_the_accounts_customer_and_has_a_number_more(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    phone = calling(by_account())
    phone.call("call-1", STRANGE)
    fresh = api.call("call-1").json["customer_ref"]
    phone.presses("call-1", "12345")
    clock.advance(seconds=5)
    told = context(phone.presses("call-1", "4711"))
    assert (told["customer_ref"], told["verified"]) == (maria, "yes")
    assert {each["ani"] for each in api.customer(maria).json["numbers"]} == {HOME, STRANGE}
    assert api.customer(fresh).json["numbers"] == []
    assert "external_id.named" in [each["rule"] for each in api.call("call-1").json["explanation"]["evidence"]]
    line_types.note(phone.service, phone.principal, STRANGE, LineType.MOBILE)
    assert phone.call("call-2", STRANGE) == ["reuse"]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_an_agents_rejection_takes_everything_back(
    api: Api, calling: Calling, maria: str, clock: ToldClock, line: Line
) -> None:
    before = api.customer(maria).json
    phone = calling(line)
    phone.call("call-1", STRANGE)
    for keys in ("12345", "4711", "1"):
        clock.advance(seconds=5)
        phone.presses("call-1", keys)
    phone.hangs_up("call-1", STRANGE)
    assert api.call("call-1").json["customer_ref"] == maria
    assert api.verdict("call-1", "rejected").status_code == 200
    assert api.customer(maria).json == before
    assert api.call("call-1").json["customer_ref"] != maria


def test_where_nothing_is_asked_the_account_finds_its_customer_but_only_an_agent_links_the_number(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    phone, before = calling(by_account(confirm=None)), who_is_who(api, maria)
    phone.call("call-1", STRANGE)
    told = context(phone.presses("call-1", "12345"))
    assert (api.call("call-1").json["customer_ref"], told["recommendation"]) == (maria, "confirm")
    assert who_is_who(api, maria) == before
    clock.advance(seconds=5)
    api.verdict("call-1", "confirmed")
    after = who_is_who(api, maria)
    assert {each["ani"] for each in after["numbers"]} == {HOME, STRANGE}
    assert after["last_contact"] > before["last_contact"]
    clock.advance(seconds=5)
    api.verdict("call-1", "rejected")
    assert who_is_who(api, maria) == before


def test_an_erased_customers_account_is_nobodys(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_account())
    phone.call("call-1", STRANGE)
    phone.presses("call-1", "12345")
    api.forget(maria)
    assert said(phone.presses("call-1", "4711")) == ["again", "ask_pin"]


def test_a_name_is_asked_of_the_named_account_too(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_account(confirm=Confirm(by=ProofKind.NAME)))
    phone.call("call-1", None)
    phone.presses("call-1", "12345")
    assert context(phone.says("call-1", "maria"))["customer_ref"] == maria


def test_who_only_named_the_account_leaves_its_customer_no_conversation_to_go_on_with(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    phone = calling(by_account(confirm=None, menu=MENU, resume_minutes=5))
    named(phone, "12345", ("1",))
    clock.advance(seconds=30)
    assert "resumed" not in phone.call("call-2", HOME)


def test_a_verdict_on_somebody_else_is_none_on_the_accounts_customer(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    phone = calling(by_account(confirm=None))
    phone.call("call-1", STRANGE)
    api.verdict("call-1", "rejected")
    phone.presses("call-1", "12345")
    assert api.call("call-1").json["customer_ref"] == maria
    told = api.verdict("call-1", "rejected").json
    assert (told["customer_ref"] == maria, told["variables"]) == (False, {})


@pytest.mark.parametrize("confirm", [None, Confirm(by=ProofKind.PIN, variable="pin")], ids=["unasked", "asked"])
def test_a_number_that_was_withheld_stays_explained_as_withheld(
    api: Api, calling: Calling, maria: str, confirm: Confirm | None
) -> None:
    phone = calling(by_account(confirm=confirm))
    phone.call("call-1", None, ani_note="withheld")
    phone.presses("call-1", "12345")
    if confirm is None:
        assert api.call("call-1").json["customer_ref"] == maria
    assert "ani.withheld" in [each["rule"] for each in api.call("call-1").json["explanation"]["evidence"]]
    api.end("call-1", customer_ref=maria)
    rules = [each["rule"] for each in api.call("call-1").json["explanation"]["evidence"] if each["kind"] == "ani"]
    assert rules == ["ani.withheld"]


def kept_of(phone: Phone, call_id: str = "call-1") -> Call:
    with phone.service.store.read(phone.principal.realm) as tx:
        call = calls.find(tx, call_id)
    assert call is not None
    return call


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("answers", ENDINGS.values(), ids=ENDINGS.keys())
def test_the_account_is_kept_no_longer_than_it_is_asked_about(
    api: Api, calling: Calling, maria: str, line: Line, answers: tuple[str | None, ...]
) -> None:
    """Whoever it belongs to: nobody's export shows it."""
    phone = calling(line)
    phone.call("call-1", STRANGE)
    phone.presses("call-1", "777")
    for each in answers:
        phone.turn("call-1", digits=each or "")
    if not answers:
        api.end("call-1", customer_ref=api.call("call-1").json["customer_ref"])
    talk = kept_of(phone).talk
    assert talk is not None
    assert talk.presented == ("account", "")


def test_of_a_call_that_was_ended_nothing_is_kept_to_take_back(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(by_account(menu=MENU))
    named(phone, "12345", ("4711", "1"))
    assert kept_of(phone).undo.intents
    api.end("call-1", customer_ref=maria)
    assert kept_of(phone).undo == Undo()
