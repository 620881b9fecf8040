"""Calls as remembered."""

from __future__ import annotations

from dataclasses import fields, replace
from uuid import UUID

import pytest

from adapter.engine.confidence import NOBODY
from adapter.engine.flow import begin, known
from adapter.engine.model import (
    Basis,
    Call,
    Distrust,
    Evidence,
    Identity,
    Intent,
    IntentStatus,
    Level,
    LineType,
    Memory,
    Origin,
    Place,
    Realm,
    Recommendation,
    Talk,
    Undo,
    Variable,
    Verdict,
)
from adapter.store import callbody, calls
from adapter.store.database import Store
from adapter.store.transaction import Transaction
from tests.builders import a_line

A = str(UUID(int=1))
FULL = Call(
    call_id="CA1",
    started_at=100,
    customer_ref=A,
    origin=Origin.TWILIO,
    greeted_at=100,
    hung_up_at=200,
    ended_at=300,
    basis=Basis.EXTERNAL_ID,
    identity=Identity(0.9, Level.VERY_HIGH, ("ani:mobile", "external_id"), Recommendation.REUSE),
    evidence=(
        Evidence("ani", "mobile", "ani_weight", True, 0.5),
        Evidence("external_id", "customer_id", "too_shared", False),
    ),
    would_raise=("recency",),
    policy_version="abcd1234",
    ani="+14155550123",
    dnis="+14155550100",
    line_type=LineType.MOBILE,
    verdict=Verdict.REJECTED,
    verdict_at=150,
    undo=Undo(
        created_customer=True,
        linked_ani=True,
        linked_external=("aa", "bb"),
        presented=("aa", "cc"),
        previous_contact=50,
        seen_at=150,
        previous_ani_seen=60,
        previous_line_type=LineType.VOIP,
        previous_line_type_at=70,
        intents=(
            ("moving", None),
            ("refund", Intent("refund", IntentStatus.RESOLVED, 0, 10, 1, 20, "CA0", {"note": "paid"})),
        ),
        variables=(("colour", None), ("language", Variable("language", "fr", "crm", 60, 10, 1, 70_000))),
        told_until=(90_000, 80_000),
    ),
    distrust=Distrust.FORWARDED,
    talk=Talk(
        Place.CONFIRM,
        turn=3,
        tries=2,
        wrong=1,
        since=140,
        visited=(Place.LANGUAGE, Place.WHO),
        language="de",
        intent="refund_request",
        offered=("moving",),
        opened=("refund_request", "callback_request"),
        settled=True,
        counted=("refund_request",),
        destination="seniors",
        tried=("", "seniors"),
        attempt_of="CA0",
        presented=("account", "12345"),
        locked=True,
        carried=("moving", "refund_request"),
        unproved=True,
        learned=(("language", "de-DE"), ("colour", "red")),
    ),
)


def test_an_unknown_call_is_none(tx: Transaction) -> None:
    assert calls.find(tx, "CA1") is None


@pytest.mark.parametrize(
    "call",
    [FULL, Call("CA1", 0), replace(FULL, identity=None, undo=Undo(previous_contact=1), verdict_at=None)],
    ids=["full", "bare", "between"],
)
def test_a_call_comes_back_as_it_was_saved(tx: Transaction, call: Call) -> None:
    calls.save(tx, call)
    assert calls.find(tx, "CA1") == call


@pytest.mark.parametrize("name", [field.name for field in fields(Call) if field.name != "call_id"])
def test_saving_again_replaces_every_field(tx: Transaction, name: str) -> None:
    calls.save(tx, Call("CA1", 1))
    changed = replace(Call("CA1", 1), **{name: getattr(FULL, name)})
    calls.save(tx, changed)
    assert calls.find(tx, "CA1") == changed


def test_a_field_added_to_a_call_is_stored_or_this_test_says_so() -> None:
    """A new field of Call, Undo or Talk with a default would silently be lost between two requests."""
    bare = Call("", 0)
    same = [field.name for field in fields(Call) if getattr(FULL, field.name) == getattr(bare, field.name)]
    unset = [field.name for field in fields(Undo) if getattr(FULL.undo, field.name) == getattr(Undo(), field.name)]
    bare_talk = Talk(Place.LANGUAGE)
    silent = [field.name for field in fields(Talk) if getattr(FULL.talk, field.name) == getattr(bare_talk, field.name)]
    assert same == unset == silent == []


@pytest.mark.parametrize("place", list(Place))
def test_a_conversation_at_any_place_comes_back(tx: Transaction, place: Place) -> None:
    call = Call("CA1", 100, talk=Talk(place, since=90, visited=tuple(Place)))
    calls.save(tx, call)
    assert calls.find(tx, "CA1") == call


@pytest.mark.parametrize("name", [field.name for field in fields(Talk)])
def test_every_field_of_a_conversation_is_kept_by_itself(tx: Transaction, name: str) -> None:
    call = Call("CA1", 100, talk=replace(Talk(Place.MENU), **{name: getattr(FULL.talk, name)}))
    calls.save(tx, call)
    assert calls.find(tx, "CA1") == call


def test_the_conversation_of_a_call_that_was_put_through_at_once_costs_a_few_bytes() -> None:
    plain, line = callbody.encode(Call("CA1", 100)), a_line()
    talk, _ = begin(line, known(line, "CA1", A, NOBODY, False, Memory()), 100)
    assert talk.tried == ("",)
    assert len(callbody.encode(Call("CA1", 100, talk=talk))) - len(plain) <= 12


@pytest.mark.parametrize("tried", [(), ("",), ("seniors",), ("", "seniors")])
@pytest.mark.parametrize("place", [Place.HANDED_OVER, Place.VOICEMAIL])
def test_where_a_call_was_handed_to_comes_back(tx: Transaction, place: Place, tried: tuple[str, ...]) -> None:
    call = Call("CA1", 100, talk=Talk(place, since=100, tried=tried))
    calls.save(tx, call)
    assert calls.find(tx, "CA1") == call


def test_a_call_kept_before_there_were_conversations_is_read(tx: Transaction) -> None:
    columns = callbody.Columns("CA1", 100, None, None, None, None, "api", None)
    assert callbody.decode(columns, '{"basis":"new","line":"unknown"}') == Call("CA1", 100)


def test_calls_of_a_customer_come_newest_first_and_limited(tx: Transaction) -> None:
    for number in range(5):
        calls.save(tx, Call(f"CA{number}", number, customer_ref=A))
    calls.save(tx, Call("other", 9, customer_ref=str(UUID(int=2))))
    assert [call.call_id for call in calls.of_customer(tx, A)] == ["CA4", "CA3", "CA2", "CA1", "CA0"]
    assert [call.call_id for call in calls.of_customer(tx, A, limit=2)] == ["CA4", "CA3"]


def test_another_realm_may_have_the_same_call_id(store: Store, realm: Realm) -> None:
    other = Realm(realm.account, realm.number + 1)
    with store.begin(realm) as tx:
        calls.save(tx, FULL)
    with store.begin(other) as tx:
        assert calls.find(tx, "CA1") is None
        calls.save(tx, Call("CA1", 7))
    with store.read(realm) as tx:
        assert calls.find(tx, "CA1") == FULL
