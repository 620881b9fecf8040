"""The first step of a call: kept, neutral where it must be, taken up where a call was cut off (semantics §9)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.engine.flow import neutral
from adapter.engine.line import Line
from adapter.engine.model import Hints, Outcome, StartCall
from adapter.errors import StoreUnavailable
from adapter.store import answers
from adapter.store.database import Store
from adapter.store.postgres.transaction import PostgresTransaction
from adapter.store.sqlite.store import SqliteTransaction
from adapter.store.statements import Prepared
from adapter.store.transaction import Transaction
from adapter.usecases import Service, start_call
from tests import databases
from tests.builders import Api, ToldClock, a_line, an_organization
from tests.conformance.wire import an_app
from tests.usecases.conftest import Calling
from tests.usecases.phone import ANI, OTHER_ANI, Phone, by_pin, context, offering

LIMITED = {"rate": {"per_minute": 0}, "quota": {"monthly": 0}}


# Kept and neutral


@pytest.mark.parametrize("line", [a_line(), by_pin()], ids=["plain", "asking"])
def test_a_repeated_webhook_gets_its_first_step_whatever_happened_since(
    api: Api, calling: Calling, maria: str, line: Line
) -> None:
    phone = calling(line)
    first = phone.webhook("call-1").step
    api.end("call-1", customer_ref=maria, variables={"name": "Mary"})
    phone.line = a_line(destination=phone.line.destination, texts={"confirm": "Changed"})
    assert phone.webhook("call-1").step == first


@pytest.mark.parametrize("reason", LIMITED)
def test_beyond_a_limit_the_caller_is_put_through_by_a_step_without_memory(tmp_path: Path, reason: str) -> None:
    with an_app(tmp_path, an_organization(**LIMITED[reason])) as app:
        phone = Phone(app.extensions["sticky-calls"], by_pin())
        greeting = phone.webhook("call-1")
        assert (greeting.step, greeting.reason) == (neutral(phone.line), reason)
        assert (greeting.rate is None) is (reason == "rate")


def test_a_webhook_that_the_end_overtook_is_answered_neutrally(api: Api, calling: Calling, maria: str) -> None:
    api.end("call-1", customer_ref=maria)
    phone = calling(by_pin())
    assert (phone.webhook("call-1").step, phone.webhook("call-1").reason) == (neutral(phone.line), "late")


def test_a_call_that_the_api_started_is_asked_and_answered_like_any_other(
    api: Api, calling: Calling, maria: str
) -> None:
    api.start("call-1", ani=ANI)
    phone = calling(by_pin())
    assert phone.call("call-1") == ["welcome", "ask_pin"]
    phone.presses("call-1", "4711")
    assert api.call("call-1").json["identity"]["confidence"] == 1.0
    assert api.call("call-1").json["origin"] == "api"


def test_a_conversation_is_begun_once_even_if_its_first_step_is_kept_no_longer(
    api: Api, calling: Calling, maria: str, clock: ToldClock
) -> None:
    phone = calling(by_pin())
    phone.call("call-1")
    clock.advance(hours=24)
    before = api.call("call-1").json
    assert phone.webhook("call-1").reason == "late"
    assert api.call("call-1").json == before


def test_a_call_put_through_by_an_earlier_version_begins_no_conversation_when_its_webhook_is_repeated(
    api: Api, calling: Calling, maria: str
) -> None:
    api.start("call-1", ani=ANI)
    before = api.call("call-1").json
    phone = calling(by_pin())
    now = phone.service.clock.now()
    with phone.service.store.begin(phone.principal.realm) as tx:
        answers.keep(tx, "voice", "call-1", "", {"call_id": "call-1", "identity": []}, maria, now + 1000)
    assert phone.webhook("call-1").step == neutral(phone.line)
    assert api.call("call-1").json == before


def test_nothing_personal_of_a_probable_caller_is_in_the_first_step(calling: Calling, maria: str) -> None:
    step = calling(by_pin()).webhook("call-1").step
    assert "Maria" not in repr(step)
    assert "4711" not in repr(step)


def test_a_caller_does_not_wait_for_the_store_as_long_as_the_api_does(
    calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def begin(store: Store, realm: object, at_most_seconds: float | None = None) -> Iterator[Transaction]:
        waits.append(at_most_seconds)
        raise StoreUnavailable("busy")

    phone = calling(by_pin())
    assert phone.principal
    databases.replace_in_stores(monkeypatch, "begin", begin)
    for ask in (lambda: phone.webhook("call-1"), lambda: phone.turn("call-1", 1)):
        with pytest.raises(StoreUnavailable):
            ask()
    assert waits == [phone.service.patience_seconds] * 2


# What it costs


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is run."""
    seen: list[str] = []

    def count(kind: type[Transaction], name: str) -> None:
        run = getattr(kind, name)

        def counted(tx: Transaction, statement: Prepared, values: Any) -> Any:
            seen.append(statement.text(tx.dialect).sql)
            return run(tx, statement, values)

        monkeypatch.setattr(kind, name, counted)

    count(SqliteTransaction, "_run")
    for name in ("rows", "execute", "write"):
        count(PostgresTransaction, name)
    return seen


@pytest.mark.parametrize("caller", [ANI, OTHER_ANI], ids=["returning", "new"])
def test_a_line_that_asks_nothing_costs_a_start_and_the_keeping_of_its_answer(
    service: Service, calling: Calling, maria: str, statements: list[str], caller: str
) -> None:
    phone = calling(a_line())
    assert phone.principal
    statements.clear()
    start_call(service, phone.principal, StartCall("by-api", Hints(ani=caller)))
    by_api = len(statements)
    phone = calling(a_line())
    other = "+14155550125" if caller == OTHER_ANI else caller  # the API's start made a customer of the newcomer
    statements.clear()
    phone.webhook("by-webhook", other)
    assert len(statements) == by_api + 2
    assert not [each for each in statements if "lockouts" in each]


# Cut off


RESUMING = {"resume_minutes": 5}


def test_who_was_cut_off_is_taken_up_where_the_call_broke_off(calling: Calling, maria: str, clock: ToldClock) -> None:
    phone = calling(offering(**RESUMING))
    phone.call("call-1")
    clock.advance(seconds=10)
    phone.hangs_up("call-1")
    clock.advance(seconds=30)
    assert phone.call("call-2")[0] == "resumed"


def test_a_call_taken_up_again_is_the_same_attempt(api: Api, calling: Calling, maria: str, clock: ToldClock) -> None:
    phone = calling(offering(offer=None, **RESUMING))
    phone.call("call-1")
    phone.presses("call-1", "1")
    clock.advance(seconds=10)
    phone.hangs_up("call-1")
    clock.advance(seconds=30)
    phone.call("call-2")
    clock.advance(seconds=10)
    phone.hangs_up("call-2")
    clock.advance(seconds=30)
    phone.call("call-3")
    assert api.end("call-3", customer_ref=maria, intent="refund_request").status_code == 200
    assert attempts(api, maria)["refund_request"] == 1


def attempts(api: Api, ref: str) -> dict[str, int]:
    return {each["intent"]: each["attempt_count"] for each in api.customer(ref).json["intents"]}


def test_a_newcomer_who_was_cut_off_is_found_by_the_number(calling: Calling, clock: ToldClock) -> None:
    phone = calling(offering(**RESUMING))
    assert phone.call("call-1")[0] == "welcome"
    phone.hangs_up("call-1")
    clock.advance(seconds=30)
    assert phone.call("call-2")[0] == "resumed"


@pytest.mark.parametrize(
    ("line", "minutes", "first"),
    [(offering(**RESUMING), 5, "resumed"), (offering(**RESUMING), 6, "welcome"), (offering(), 1, "welcome")],
    ids=["in time", "too late", "not wanted"],
)
def test_only_within_the_lines_minutes(
    calling: Calling, maria: str, clock: ToldClock, line: Line, minutes: int, first: str
) -> None:
    phone = calling(line)
    phone.call("call-1")
    phone.hangs_up("call-1")
    clock.advance(seconds=60 * minutes)
    assert phone.call("call-2")[0] == first


@pytest.mark.parametrize("what", ["goes on", "was another line's", "was ended", "was another's", "was answered"])
def test_a_call_that_was_not_cut_off_is_not_taken_up(
    api: Api, service: Service, calling: Calling, maria: str, clock: ToldClock, what: str
) -> None:
    phone = calling(offering(**RESUMING))
    if what == "was another line's":
        api.start("call-1", ani=ANI, dnis="+14155550111")
    phone.call("call-1", OTHER_ANI if what == "was another's" else ANI)
    if what == "was ended":
        api.end("call-1", customer_ref=maria)
    if what == "was answered":
        for did in ({"digits": "2"}, {"digits": "1"}, {"outcome": Outcome.ANSWERED}):
            phone.turn("call-1", **did)
    if what != "goes on":
        phone.hangs_up("call-1")
    clock.advance(seconds=30)
    assert phone.call("call-2")[0] == "welcome"


def test_a_verification_is_of_one_call(calling: Calling, maria: str, clock: ToldClock) -> None:
    phone = calling(by_pin(**RESUMING))
    phone.call("call-1")
    phone.presses("call-1", "4711")
    clock.advance(seconds=5)
    phone.hangs_up("call-1")
    clock.advance(seconds=5)
    assert phone.call("call-2") == ["welcome", "ask_pin"]


def test_a_webhook_that_the_hang_up_overtook_begins_and_is_settled(api: Api, calling: Calling, maria: str) -> None:
    phone = calling(offering(offer=None))
    phone.hangs_up("call-1")
    phone.call("call-1")
    assert context(phone.presses("call-1", "1"))["intent"] == "refund_request"
    assert attempts(api, maria) == {"moving": 1, "refund_request": 1}
