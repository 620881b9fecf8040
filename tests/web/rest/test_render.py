import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import jsonschema
import pytest

import adapter.engine
import adapter.twilio
import adapter.usecases
from adapter.engine.caller_id import Note
from adapter.engine.model import (
    Basis,
    Call,
    Distrust,
    Ended,
    Evidence,
    Identity,
    Intent,
    IntentStatus,
    Level,
    LineType,
    Memory,
    Origin,
    Place,
    Recommendation,
    Started,
    Talk,
    Variable,
    Verdict,
)
from adapter.engine.policy import Policy
from adapter.web.openapi import examples
from adapter.web.openapi.document import describe
from adapter.web.rest import render
from adapter.web.rest.words import SENTENCES, WAYS_UP

REF = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
START = 1_770_460_200_000  # 2026-02-07T10:30:00.000Z
VERY_SURE = Identity(0.9, Level.VERY_HIGH, ("ani:mobile", "external_id", "recency:1day"), Recommendation.REUSE)
NOBODY = Identity(0.0, Level.LOW, (), Recommendation.IGNORE)
SCHEMAS = describe(Policy())


def intent(name="refund_request", status=IntentStatus.OPEN, resolution=None):
    return Intent(name, status, 2, START, 0, START + 1, "call_000", resolution)


def variable(name, value, source=None):
    return Variable(name, value, source, 2_592_000, START, 0, START + 2_592_000_000)


def call(**more):
    return Call("call_001", START, REF, identity=VERY_SURE, policy_version="0a1b2c3d", **more)


def fits(body, name):
    """The body is what the description says it is."""
    described = {**SCHEMAS, "$ref": f"#/components/schemas/{name}"}
    jsonschema.validate(json.loads(render.to_bytes(body)), described, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (START, "2026-02-07T10:30:00.000Z"),
        (START + 7, "2026-02-07T10:30:00.007Z"),
        (START - 1, "2026-02-07T10:29:59.999Z"),
        (0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_printed_as_in_the_reference(at, text):
    assert render.timestamp(at) == text


def test_a_returning_customer_is_printed_as_in_the_reference():
    variables = (
        variable("name", "John Doe"),
        variable("email", "john@example.com"),
        variable("account_balance", "$1,234.56"),
    )
    body = render.started(Started("call_001", REF, START, VERY_SURE, Memory((intent(),), variables)))
    assert render.to_bytes(body) == render.to_bytes(examples.RETURNING)


def test_a_new_customer_is_printed_as_in_the_reference():
    body = render.started(Started("call_001", REF, START, NOBODY, Memory()))
    assert render.to_bytes(body) == render.to_bytes(examples.STARTED["new_customer"])


def test_an_end_is_printed_as_in_the_reference():
    body = render.ended(Ended("call_001", REF, START, START + 330_000, 330, 2, 5))
    assert render.to_bytes(body) == render.to_bytes(examples.ENDED["ended"])


@pytest.mark.parametrize(("confidence", "text"), [(0.0, b"0"), (0.9, b"0.9"), (1.0, b"1.0"), (0.45, b"0.45")])
def test_a_confidence_is_a_plain_number_and_nothing_is_0(confidence, text):
    identity = Identity(confidence, Level.LOW, (), Recommendation.IGNORE)
    body = render.started(Started("c", REF, START, identity, Memory()))
    assert b'"confidence":' + text + b"," in render.to_bytes(body)


@pytest.mark.parametrize("healthy", [True, False])
def test_health_has_the_same_names_in_sickness(healthy):
    body = render.health(healthy, START)
    shown = examples.HEALTHY["healthy"] if healthy else examples.UNHEALTHY["unhealthy"]
    assert render.to_bytes(body) == render.to_bytes(shown)


def test_json_is_compact_utf8_in_the_given_order():
    assert render.to_bytes({"b": "é", "a": [1, None]}) == '{"b":"é","a":[1,null]}'.encode()


def test_a_call_is_explained_in_sentences():
    evidence = (Evidence("ani", "mobile", "ani.known", True, 0.5), Evidence("ani", "line", "rule.of_tomorrow", False))
    body = render.call(call(evidence=evidence, would_raise=("verdict", "magic")))
    assert body["explanation"]["evidence"] == [
        {
            "kind": "ani",
            "subject": "mobile",
            "rule": "ani.known",
            "counted": True,
            "weight": 0.5,
            "text": "The caller's number belongs to this customer.",
        },
        {
            "kind": "ani",
            "subject": "line",
            "rule": "rule.of_tomorrow",
            "counted": False,
            "weight": 0,
            "text": "rule.of_tomorrow",
        },
    ]
    assert [way["by"] for way in body["explanation"]["would_have_raised"]] == ["verdict", "magic"]
    assert body["explanation"]["policy_version"] == "0a1b2c3d"
    fits(body, "CallAnswer")


def test_a_calls_timeline_is_in_the_order_of_what_happened():
    body = render.call(
        call(
            greeted_at=START,
            ended_at=START + 5,
            hung_up_at=START + 3,
            verdict=Verdict.CONFIRMED,
            verdict_at=START + 1,
            origin=Origin.TWILIO,
            basis=Basis.VERIFIED,
            ani="+14155550123",
            line_type=LineType.MOBILE,
        )
    )
    assert [moment["event"] for moment in body["timeline"]] == ["greeted", "verdict_confirmed", "hung_up", "ended"]
    fits(body, "CallAnswer")


def test_a_call_of_which_only_the_hang_up_is_known_has_no_customer_yet():
    body = render.call(Call("call_001", START, hung_up_at=START))
    assert (body["customer_ref"], body["identity"]) == (None, None)
    assert body["timeline"] == [{"at": "2026-02-07T10:30:00.000Z", "event": "hung_up"}]
    fits(body, "CallAnswer")


def test_a_customer_is_exported_whole():
    record = SimpleNamespace(
        customer_ref=REF,
        created_at=START,
        last_contact=START + 1,
        numbers=(("+14155550123", LineType.MOBILE, START), ("+14155550124", None, START)),
        external_ids=(("customer_id", "12345"),),
        intents=(intent(), intent("done", IntentStatus.RESOLVED, {"type": "processed"})),
        variables=(variable("name", "John Doe", "crm"),),
        calls=(call(),),
    )
    body = render.customer(record)
    assert list(body) == [
        "customer_ref", "created_at", "last_contact", "numbers", "external_ids", "intents", "variables", "calls"
    ]  # fmt: skip
    assert [number["line_type"] for number in body["numbers"]] == ["mobile", "unknown"]
    assert body["intents"][1]["resolution"] == {"type": "processed"}
    assert body["variables"]["name"]["expires_at"] == "2026-03-09T10:30:00.000Z"
    fits(body, "CustomerAnswer")


def test_a_call_without_a_conversation_says_so():
    assert render.call(call())["conversation"] is None
    fits(render.call(call()), "CallAnswer")


@pytest.mark.parametrize(
    ("talk", "shown"),
    [
        (Talk(Place.MENU), {"place": "menu", "language": None, "intent": None, "destination": None}),
        (Talk(Place.HANDED_OVER, tried=("",)), {"place": "handed_over", "destination": "default"}),
        (
            Talk(Place.OVER, language="de-DE", intent="moving", opened=("moving",), destination="x", tried=("", "x")),
            {"language": "de-DE", "intent": "moving", "opened_intents": ["moving"], "destination": "x"},
        ),
        (Talk(Place.OFFER, attempt_of="call_000"), {"attempt_of": "call_000", "opened_intents": []}),
    ],
    ids=["asked", "put through", "over", "resumed"],
)
def test_a_conversation_is_shown_where_it_stands(talk, shown):
    body = render.call(call(talk=talk))
    assert {name: body["conversation"][name] for name in shown} == shown
    assert body["conversation"]["verified"] is False
    fits(body, "CallAnswer")


def test_a_conversation_shows_who_was_confirmed_and_never_what_was_said():
    talk = Talk(Place.MENU, presented=("account", "SECRET-12345"))
    body = render.call(call(talk=talk, verdict=Verdict.CONFIRMED))
    assert body["conversation"]["verified"] is True
    assert "SECRET" not in str(body)


def test_an_erasure_has_a_receipt():
    body = render.erased(SimpleNamespace(customer_ref=REF, erased_at=START))
    assert body == {"customer_ref": REF, "erased_at": "2026-02-07T10:30:00.000Z"}
    fits(body, "ErasedAnswer")


def source(package) -> str:
    return "".join(path.read_text() for path in Path(package.__file__).parent.rglob("*.py"))


def test_every_rule_of_the_engine_has_its_sentence_and_every_sentence_its_rule():
    text = source(adapter.engine) + source(adapter.usecases)
    kinds = {rule.partition(".")[0] for rule in SENTENCES}
    rules = set(re.findall(rf'"((?:{"|".join(kinds)})\.[a-z_]+)"', text))
    # Named by the note or the clash that made them.
    notes = {*get_args(Note), *re.findall(r'\bnote = "(\w+)"', source(adapter.twilio))}
    rules |= {f"ani.{note}" for note in notes} | {f"cap.{reason}" for reason in Distrust}
    rules |= {"external_id.other_value", "external_id.new"}
    assert rules == set(SENTENCES)


def test_every_way_to_be_surer_is_put_in_words():
    assert set(WAYS_UP) == {"ani", "line_type", "external_id", "customer_ref", "verdict"}
