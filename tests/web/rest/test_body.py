import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.model import Issue
from adapter.web.rest.body import MAX_DEPTH, canonical, dotted, read_json, shown


def messages(raw: bytes) -> list[str]:
    return [issue.message for issue in read_json(raw).issues]


def test_json_is_read_with_its_order_kept():
    body = read_json(b'{"b": 1, "a": [true, null, 1.5, "x"]}')
    assert list(body.value) == ["b", "a"]
    assert body.issues == ()
    assert body.is_json


def test_a_byte_order_mark_is_tolerated():
    assert read_json(b"\xef\xbb\xbf{}").value == {}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "body must be JSON: it is empty"),
        (b" \n", "body must be JSON: it is empty"),
        (b"call_id=call_001", "body must be JSON: Expecting value at line 1, column 1"),
        (b'"a\x01b"', "body must be JSON: Invalid control character at line 1, column 3"),
        (b'{"a":1} {"b":2}', "body must be JSON: Extra data at line 1, column 9"),
        (b'{"a":\xff}', "body must be JSON in UTF-8"),
        ('{"a":1}'.encode("utf-16"), "body must be JSON in UTF-8"),
        (b'{"a":NaN}', "body must be JSON: a number in it is not finite or has too many digits"),
        (b'{"a":-Infinity}', "body must be JSON: a number in it is not finite or has too many digits"),
        (b'{"a":1e999}', "body must be JSON: a number in it is not finite or has too many digits"),
        (b"1" * 5_000, "body must be JSON: a number in it is not finite or has too many digits"),
        (b"[" * 100_000, "body must not be nested deeper than 32"),
    ],
    ids=[
        "empty",
        "blank",
        "a form",
        "a control character",
        "two values",
        "bad UTF-8",
        "UTF-16",
        "NaN",
        "Infinity",
        "1e999",
        "5000 digits",
        "bottomless",
    ],
)
def test_what_is_no_json_we_could_give_back_is_refused(raw, message):
    assert messages(raw) == [message]
    assert not read_json(raw).is_json


def test_big_integers_are_read_exactly():
    assert read_json(b'{"a": 123456789012345678901234567890}').value == {"a": 123456789012345678901234567890}


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_nesting_is_allowed_up_to_the_limit_and_refused_one_deeper(opening, closing):
    inner = "0" if opening != "[" else ""
    at_limit = opening * MAX_DEPTH + inner + closing * MAX_DEPTH
    assert messages(at_limit.encode()) == []
    assert messages(f"[{at_limit}]".encode()) == [f"body must not be nested deeper than {MAX_DEPTH}"]


def test_every_name_given_twice_is_an_issue_at_its_path():
    raw = b'{"a":1,"a":2,"a":3,"variables":{"x":"1","x":"2"},"intent_updates":[{"intent":"i","intent":"j"}]}'
    body = read_json(raw)
    assert body.issues == (
        Issue(("a",), "a is named twice"),
        Issue(("variables", "x"), "variables.x is named twice"),
        Issue(("intent_updates", 0, "intent"), "intent_updates[0].intent is named twice"),
    )
    assert body.is_json


def test_an_issue_repeats_only_a_short_path_however_deep_the_name_was():
    key = "k" * 1_000
    raw = f'{{"{key}":{{"b":{{"c":{{"d":{{"e":1,"e":2}}}}}}}}}}'.encode()
    (issue,) = read_json(raw).issues
    assert issue.path == ("k" * 128, "b", "c", "d")


def test_the_same_json_has_the_same_canonical_bytes_whatever_its_spacing_and_order():
    assert canonical(read_json(b'{"b":1,"a":"\\u00e9"}').value) == canonical(
        read_json('{ "a":"é", "b":1 }'.encode()).value
    )


def test_other_json_has_other_canonical_bytes():
    assert canonical({"a": "1"}) != canonical({"a": 1})


def test_a_path_is_shown_as_in_the_reference():
    assert dotted(("identity_hints", "ani")) == "identity_hints.ani"
    assert dotted(("intent_updates", 0, "status")) == "intent_updates[0].status"
    assert dotted(()) == "body"


def test_a_clients_own_name_is_shown_short_and_encodable():
    assert shown("x" * 200) == "x" * 128
    assert shown("\ud800") == "?"
    assert shown(7) == 7


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    body = read_json(raw)
    assert body.is_json or body.issues


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_read_as_python_reads_it(value):
    body = read_json(json.dumps(value).encode())
    assert body.value == value
    assert body.issues == ()
