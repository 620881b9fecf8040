"""What goes along with a call on each channel, and what stays behind when there is too much of it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.twilio.channels import (
    CLIENT,
    LONGEST_VALUE,
    RELAY,
    SIP_HEADERS_CHARACTERS,
    STREAM,
    TASK_BYTES,
    ParameterLimits,
    parameters,
    sip_uri,
    task,
    with_token,
)
from tests.twilio.hostile import hostile

TARGET = "sip:desk@pbx.example.com"
CALL = "CA" + "0" * 32
MANY = tuple((f"variable_{place}", "x" * 100) for place in range(60))

names = st.text(st.sampled_from("abc_019"), min_size=1, max_size=40)
contexts = st.lists(st.tuples(names, hostile), max_size=30, unique_by=lambda pair: pair[0])


def headers(uri: str) -> list[tuple[str, str]]:
    return parse_qsl(uri.partition("?")[2], keep_blank_values=True, encoding="utf-8", errors="strict")


# Sip


def test_a_sip_desk_reads_headers() -> None:
    uri = sip_uri(TARGET, (("call_id", CALL), ("name", "Zoë & Co?x=y"), ("plan", "")))
    assert uri == f"{TARGET}?X-Sticky-Call-Id={CALL}&X-Sticky-Name=Zo%C3%AB%20%26%20Co%3Fx%3Dy"


def test_headers_of_the_operators_own_stay_first() -> None:
    assert sip_uri(f"{TARGET};transport=tls?x-a=b", (("name", "M"),)) == (
        f"{TARGET};transport=tls?x-a=b&X-Sticky-Name=M"
    )
    assert sip_uri(TARGET, ()) == TARGET


def test_headers_that_are_too_much_are_dropped_from_the_end() -> None:
    uri = sip_uri(TARGET, MANY)
    carried = [name for name, _ in headers(uri)]
    assert carried == [f"X-Sticky-Variable-{place}" for place in range(len(carried))]
    assert SIP_HEADERS_CHARACTERS - 130 < len(uri.partition("?")[2]) <= SIP_HEADERS_CHARACTERS


def test_nothing_less_important_goes_along_when_something_before_it_did_not_fit() -> None:
    context = (*((f"v{place}", "x" * 200) for place in range(5)), ("plan", "gold"))
    assert [name for name, _ in headers(sip_uri(TARGET, context))] == [f"X-Sticky-V{place}" for place in range(4)]


def test_one_long_value_leaves_room_for_others() -> None:
    found = headers(sip_uri(TARGET, (("name", "\U0001f600" * 1_000), ("plan", "gold"))))
    assert found == [("X-Sticky-Name", "\U0001f600" * 20), ("X-Sticky-Plan", "gold")]


@pytest.mark.parametrize("target", ["sip:" + "x" * 251, f"{TARGET}?x-a=" + "x" * 1_020])
def test_a_sip_address_that_is_too_long_is_refused(target: str) -> None:
    sip_uri(target[:-1], ())
    with pytest.raises(ValueError, match="too long"):
        sip_uri(target, ())


@given(contexts)
def test_headers_are_never_more_than_the_context(context: list[tuple[str, str]]) -> None:
    uri = sip_uri(TARGET, context)
    assert uri.isascii()
    assert len(uri.partition("?")[2]) <= SIP_HEADERS_CHARACTERS
    assert len(headers(uri)) <= len(context)
    assert all(name.startswith("X-Sticky-") for name, _ in headers(uri))
    assert not set(uri) & set('\r\n"<> ')


# Parameters


def test_a_client_takes_eight_parameters() -> None:
    assert parameters(MANY, CLIENT) == [(name, value) for name, value in MANY[:8]]


def test_a_clients_values_are_cut_at_128_bytes_between_characters() -> None:
    assert parameters((("name", "a" + "é" * 100),), CLIENT) == [("name", "a" + "é" * 63)]


def test_a_name_that_no_client_takes_stays_behind_alone() -> None:
    assert parameters((("x" * 33, "1"), ("x" * 32, "2")), CLIENT) == [("x" * 32, "2")]


@pytest.mark.parametrize("limits", [STREAM, RELAY], ids=["stream", "relay"])
def test_a_streams_name_and_value_stay_under_500_characters(limits: ParameterLimits) -> None:
    [(name, value)] = parameters((("n" * 64, "v" * 10_000),), limits)
    assert len(value) == LONGEST_VALUE
    assert len(name + value) < 500


def test_parameters_that_are_too_much_are_dropped_from_the_end() -> None:
    carried = parameters(tuple((f"v{place}", "&" * 400) for place in range(60)), STREAM)
    assert 10 < len(carried) < 20
    assert [name for name, _ in carried] == [f"v{place}" for place in range(len(carried))]


@given(contexts, st.sampled_from([CLIENT, STREAM]))
def test_parameters_are_within_the_limits(context: list[tuple[str, str]], limits: ParameterLimits) -> None:
    carried = parameters(context, limits)
    assert len(carried) <= limits.most
    for name, value in carried:
        assert 0 < len(name.encode()) <= limits.name_bytes
        assert 0 < len(value.encode()) <= limits.value_bytes
        assert len(name + value) <= limits.both_characters


# Task


def test_a_task_has_the_context_as_its_attributes() -> None:
    attributes = task((("call_id", CALL), ("name", 'Zoë "Z"'), ("plan", "\x00")))
    assert attributes == f'{{"call_id":"{CALL}","name":"Zoë \\"Z\\""}}'


def test_a_task_that_is_too_much_loses_its_end() -> None:
    attributes = task(MANY)
    carried = list(json.loads(attributes))
    assert carried == [name for name, _ in MANY[: len(carried)]]
    assert TASK_BYTES - 120 < len(attributes.encode()) <= TASK_BYTES


@given(contexts)
def test_a_task_is_json_within_its_limit(context: list[tuple[str, str]]) -> None:
    attributes = task(context)
    assert set(json.loads(attributes)) <= {name for name, _ in context}
    assert len(attributes.encode()) <= TASK_BYTES


# Redirect


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://ivr.example.com", f"https://ivr.example.com?call_id={CALL}"),
        ("https://ivr.example.com/a?b=c", f"https://ivr.example.com/a?b=c&call_id={CALL}"),
        ("https://ivr.example.com/a#rc=2", f"https://ivr.example.com/a?call_id={CALL}#rc=2"),
    ],
)
def test_an_ivr_gets_the_calls_id_and_nothing_of_the_caller(target: str, address: str) -> None:
    assert with_token(target, (("call_id", CALL), ("name", "Maria"), ("customer_ref", "ref"))) == address


@pytest.mark.parametrize("call_id", ["", "a b", "a&b=c", "x" * 65, "é"])
def test_what_is_no_id_stays_out_of_the_address(call_id: str) -> None:
    assert with_token("https://ivr.example.com", (("call_id", call_id),)) == "https://ivr.example.com"
    assert with_token("https://ivr.example.com", ()) == "https://ivr.example.com"


@pytest.mark.parametrize("name", ["", "a b", "a=b", "é", "x" * 65, "a\r\nb"])
def test_a_name_that_cannot_be_written_goes_nowhere(name: str) -> None:
    context = ((name, "value"),)
    assert sip_uri(TARGET, context) == TARGET
    assert task(context) == "{}"
    assert parameters(context, STREAM) == []
