"""What could not be saved while a call went on is kept on this machine, and applied once, in order (semantics §9)."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from adapter.config import Config, TwilioAccount, TwilioConfig
from adapter.engine.line import Confirm, Destination, DestinationKind, Forget, Menu, MenuOption, ProofKind
from adapter.engine.model import Mode, Turn
from adapter.errors import SealBroken, StoreDamaged, StoreUnavailable
from adapter.store import calls
from adapter.store.postgres.store import PostgresStore
from adapter.store.sqlite import store as sqlite_store
from adapter.store.transaction import Transaction
from adapter.usecases import Service, apply_waiting, keep_turn
from tests import databases
from tests.builders import (
    ACCOUNT,
    AUTH_TOKEN,
    PUBLIC_URL,
    Api,
    ToldClock,
    Twilio,
    a_config,
    a_line,
    an_organization,
    call_sid,
    issue_key,
)
from tests.conformance.wire import NEUTRAL, Reply, a_call, an_app, events, lose_the_store, posted, puts_through, speech

pytestmark = pytest.mark.stores

ANI = "+14155550123"
MENU = Menu((MenuOption("refund", "1"), MenuOption("delivery", "2"), MenuOption("forget_me", "9")))
PIN = Confirm(by=ProofKind.PIN, variable="pin", always=True)
LINE = a_line(
    menu=MENU,
    confirm=PIN,
    forget=Forget("forget_me"),
    destination=Destination(DestinationKind.DIAL, "+14155550199"),
)
Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, lines=(LINE,))


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    @contextmanager
    def store_is_away() -> Iterator[None]:
        with monkeypatch.context() as patched:
            lose_the_store(patched)
            yield

    return store_is_away


def turn(app: Flask, number: int, call: int = 1, **fields: str) -> Reply:
    return posted(app, f"turn/{number}", a_call(call, CallStatus="in-progress", **fields))


def opened(api: Api, call: int = 1) -> list[str]:
    """What a customer left open, as the next start is told."""
    ref = api.call(call_sid(call)).json["customer_ref"]
    return [intent["intent"] for intent in api.customer(ref).json["intents"]]


def talk(api: Api, call: int = 1) -> dict[str, object]:
    return dict(api.call(call_sid(call)).json["conversation"])


def test_a_choice_made_while_the_store_was_away_counts_once_it_is_back(app: Flask, api: Api, away: Away) -> None:
    posted(app, "voice", a_call(1))
    with away():
        answer = turn(app, 1, Digits="2")
        assert (speech(answer), puts_through(answer)) == (NEUTRAL, True)
        posted(app, "status", a_call(1, CallStatus="completed"))
    assert apply_waiting(app.extensions["sticky-calls"]) == 2
    assert opened(api) == ["delivery"]
    assert events(api, call_sid(1)) == ["greeted", "hung_up"]


def test_applied_again_it_changes_nothing(app: Flask, api: Api, service: Service, away: Away) -> None:
    posted(app, "voice", a_call(1))
    with away():
        for _ in range(3):
            turn(app, 1, Digits="2")
    assert service.inbox is not None
    kept = [event for _, event in service.inbox.waiting()]
    assert apply_waiting(service) == 3
    before = api.call(call_sid(1)).json
    for event in kept:
        service.inbox.put(event)
    assert apply_waiting(service) == 3
    assert api.call(call_sid(1)).json == before


def test_a_turn_that_was_saved_after_all_is_not_heard_twice(app: Flask, api: Api, service: Service) -> None:
    """Its answer came too late, and went on to be saved."""
    posted(app, "voice", a_call(1))
    turn(app, 1, Digits="2")
    before = api.call(call_sid(1)).json
    keep_turn(service, LINE, Turn(call_sid(1), 1, "1"))
    assert apply_waiting(service) == 1
    assert api.call(call_sid(1)).json == before


def test_what_a_limit_refuses_holds_up_its_own_call_and_no_other(tmp_path: Path) -> None:
    """Of call 1 the hang-up waits for the next month, and so does what comes after it; a choice costs nothing."""
    with an_app(tmp_path, an_organization(monthly=2), lines=(LINE,)) as app:
        api, service = Api(app.test_client(), issue_key(app)), app.extensions["sticky-calls"]
        for call in (1, 2):
            posted(app, "voice", a_call(call, From=f"+1415555012{call}"))
        posted(app, "status", a_call(1, CallStatus="completed"))
        for call in (1, 2):
            keep_turn(service, LINE, Turn(call_sid(call), 1, "2"))
        assert apply_waiting(service) == 1
        assert (opened(api, 1), talk(api, 2)["intent"]) == ([], "delivery")
        service.clock.advance(days=22)
        assert apply_waiting(service) == 2
        assert opened(api, 1) == ["delivery"]


def test_of_a_call_that_never_began_there_is_nothing_to_hear(
    app: Flask, api: Api, service: Service, away: Away
) -> None:
    with away():
        posted(app, "voice", a_call(1))
        turn(app, 1, Digits="2")
    assert apply_waiting(service) == 1
    assert api.call(call_sid(1)).status_code == 404


@pytest.mark.parametrize("fields", [{}, {"Digits": ""}, {"SpeechResult": " "}])
def test_silence_is_not_kept(app: Flask, service: Service, away: Away, fields: dict[str, str]) -> None:
    posted(app, "voice", a_call(1))
    with away():
        turn(app, 1, **fields)
    assert service.inbox is not None
    assert service.inbox.depth() == 0


def test_a_step_without_memory_has_nothing_to_keep(app: Flask, service: Service, away: Away) -> None:
    with away():
        turn(app, 0, Digits="2")
        turn(app, 0, DialCallStatus="busy")
    assert service.inbox is not None
    assert service.inbox.depth() == 0


def test_a_caller_put_through_without_memory_is_there_and_is_asked_nothing_more(
    app: Flask, api: Api, service: Service, away: Away
) -> None:
    posted(app, "voice", a_call(1))
    with away():
        turn(app, 1, Digits="2")
    apply_waiting(service)
    assert (talk(api)["place"], talk(api)["intent"]) == ("handed_over", "delivery")
    # Should Twilio ask again: the same as the first time.
    assert speech(turn(app, 1, Digits="2")) == NEUTRAL


def test_an_outcome_ends_the_conversation(app: Flask, api: Api, service: Service, away: Away) -> None:
    posted(app, "voice", a_call(1))
    turn(app, 1, Digits="2")
    with away():
        turn(app, 2, DialCallStatus="completed", DialBridged="true")
    apply_waiting(service)
    assert talk(api)["place"] == "over"


def known(api: Api) -> str:
    """A caller with a PIN, on a mobile."""
    ref: str = api.start("before", "mobile", ani=ANI).json["customer_ref"]
    api.end("before", customer_ref=ref, variables={"name": "Maria", "pin": "4711"})
    return ref


def test_a_proof_given_while_the_store_was_away_is_one(app: Flask, api: Api, service: Service, away: Away) -> None:
    ref = known(api)
    posted(app, "voice", a_call(1, From=ANI))
    with away():
        turn(app, 1, Digits="4711", From=ANI)
    apply_waiting(service)
    call = api.call(call_sid(1)).json
    assert (call["customer_ref"], call["explanation"]["basis"]) == (ref, "verified")


def test_wrong_answers_count_towards_the_lock_out_however_they_come(
    app: Flask, api: Api, service: Service, clock: ToldClock, away: Away
) -> None:
    known(api)
    for call in range(1, 6):
        posted(app, "voice", a_call(call, From=ANI))
        with away():
            turn(app, 1, call, Digits="1111", From=ANI)
    apply_waiting(service)
    posted(app, "voice", a_call(6, From=ANI))
    turn(app, 1, 6, Digits="4711", From=ANI)
    assert api.call(call_sid(6)).json["explanation"]["basis"] != "verified"


def test_who_said_yes_to_being_forgotten_is(app: Flask, api: Api, service: Service, away: Away) -> None:
    ref = known(api)
    posted(app, "voice", a_call(1, From=ANI))
    turn(app, 1, Digits="4711", From=ANI)
    turn(app, 2, Digits="9", From=ANI)
    with away():
        turn(app, 3, Digits="1", From=ANI)
    assert api.customer(ref).status_code == 200
    apply_waiting(service)
    assert api.customer(ref).status_code == 404


def test_what_was_said_counts_as_of_when_it_was_said(
    app: Flask, api: Api, service: Service, clock: ToldClock, away: Away
) -> None:
    """The question has its time; the store's absence is not the caller's."""
    known(api)
    posted(app, "voice", a_call(1, From=ANI))
    with away():
        turn(app, 1, Digits="4711", From=ANI)
    clock.advance(hours=1)
    apply_waiting(service)
    assert api.call(call_sid(1)).json["explanation"]["basis"] == "verified"


def test_a_turn_of_a_line_that_is_configured_no_more_is_done_with(
    app: Flask, api: Api, service: Service, away: Away
) -> None:
    posted(app, "voice", a_call(1))
    with away():
        turn(app, 1, Digits="2")
    assert apply_waiting(replace(service, lines=())) == 0
    assert service.inbox is not None
    assert service.inbox.depth() == 0


def test_events_are_applied_in_order_many_to_a_transaction(
    app: Flask, service: Service, twilio: Twilio, monkeypatch: pytest.MonkeyPatch, away: Away
) -> None:
    assert service.directory.principal("acme", Mode.PROD)  # known before, so that it needs no transaction of its own
    with away():
        for number in range(45):
            twilio.status(call_sid(number), "+15550000000")
    saved: list[str] = []
    transactions: list[int] = []
    real_save, real_transact = calls.save, type(service.store).transact

    def save(tx: Transaction, call: object) -> None:
        saved.append(call.call_id)  # type: ignore[attr-defined]
        real_save(tx, call)  # type: ignore[arg-type]

    def transact(*given: object, **named: Any) -> object:
        transactions.append(1)
        return real_transact(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(calls, "save", save)
    databases.replace_in_stores(monkeypatch, "transact", transact)
    assert apply_waiting(service) == 45
    assert saved == [call_sid(number) for number in range(45)]
    assert len(transactions) == 3


@pytest.mark.parametrize("error", [SealBroken("no such key"), StoreDamaged("a page is malformed")], ids=repr)
def test_one_that_cannot_be_applied_holds_nobody_up_and_is_tried_again(
    app: Flask, service: Service, twilio: Twilio, monkeypatch: pytest.MonkeyPatch, away: Away, error: Exception
) -> None:
    with away():
        for number in range(3):
            twilio.status(call_sid(number), "+15550000000")
    real = calls.find

    def find(tx: Transaction, call_id: str) -> object:
        if call_id == call_sid(1):
            raise error
        return real(tx, call_id)

    with monkeypatch.context() as patched:
        patched.setattr(calls, "find", find)
        assert apply_waiting(service) == 2
        assert apply_waiting(service) == 0
    assert apply_waiting(service) == 1


def test_a_store_that_goes_away_again_in_the_middle_costs_nothing(
    app: Flask, service: Service, twilio: Twilio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: Away
) -> None:
    assert service.directory.principal("acme", Mode.PROD)  # as above
    with away():
        for number in range(50):
            twilio.status(call_sid(number), "+15550000000")
    real, left = type(service.store).transact, [1]

    def transact(*given: object, **named: Any) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise StoreUnavailable("away again")
        return real(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        databases.replace_in_stores(patched, "transact", transact)
        with pytest.raises(StoreUnavailable):
            apply_waiting(service)
    assert databases.count(tmp_path, "calls") == 20
    assert apply_waiting(service) == 30
    assert (databases.count(tmp_path, "calls"), databases.rows(tmp_path, "SELECT sum(used) FROM usage")) == (
        50,
        [(50,)],
    )


@contextmanager
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """Writes stand still until the end, then go on; each that has is counted."""
    goes_on, done = threading.Event(), threading.Semaphore(0)
    plainly, transact = sqlite_store._plainly, PostgresStore.transact

    def hangs_at_commit(connection: sqlite3.Connection, sql: str) -> None:
        assert sql != "COMMIT" or goes_on.wait(30)
        plainly(connection, sql)
        if sql == "COMMIT":
            done.release()

    def hangs(*given: Any) -> Any:
        assert goes_on.wait(30)
        try:
            return transact(*given)
        finally:
            done.release()

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_store, "_plainly", hangs_at_commit)
        patched.setattr(PostgresStore, "transact", hangs)
        yield done
        goes_on.set()
        assert done.acquire(timeout=30)


def test_what_hangs_is_answered_by_the_deadline_and_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stands still: what was begun may be saved in the end, and is kept as well."""
    twilio_config = TwilioConfig(PUBLIC_URL, (TwilioAccount(ACCOUNT, (AUTH_TOKEN,)),), webhook_deadline_ms=500)
    with an_app(tmp_path, lines=(LINE,), twilio=twilio_config) as app:
        service = app.extensions["sticky-calls"]
        posted(app, "voice", a_call(1))
        began = time.monotonic()
        with hanging(monkeypatch) as done:
            answers = [
                turn(app, 1, Digits="2"),
                posted(app, "voice", a_call(2)),
                posted(app, "status", a_call(1, CallStatus="completed")),
            ]
        # With SQLite the others wait behind the first one, and do not begin any more.
        begun = 1 if databases.kind == "sqlite" else 3
        for _ in range(begun - 1):
            assert done.acquire(timeout=30)
        assert time.monotonic() - began < 2.5
        assert [(speech(each), puts_through(each)) for each in answers[:2]] == [(NEUTRAL, True)] * 2
        assert answers[2].status == 204
        assert apply_waiting(service) == 2
        api = Api(app.test_client(), issue_key(app))
        assert (events(api, call_sid(1)), opened(api)) == (["greeted", "hung_up"], ["delivery"])
        assert databases.rows(tmp_path, "SELECT sum(used) FROM usage") == [(2 if begun == 1 else 3,)]
