"""Nothing that could name a caller or open a door comes out of the log, whatever it is nested in."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.logs import configure, masked

pytestmark = pytest.mark.usefixtures("restored_logging")
SID = "CA0123456789abcdef0123456789abcdef"


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_time_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    logging.getLogger("adapter.x").warning("in %s", "grace", extra={"organization": "acme", "usage": 101})
    (line,) = written(capsys)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "event": "in grace",
        "organization": "acme",
        "usage": 101,
        "level": "warning",
        "logger": "adapter.x",
    }


def test_lines_of_other_libraries_are_masked_too_with_their_extras(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    logging.getLogger("urllib3").warning("to %s", "+14155550123", extra={"request_id": "req_" + "1" * 24})
    (line,) = written(capsys)
    assert (line["event"], line["request_id"]) == ("to ***23", "req_" + "1" * 24)


def test_a_traceback_is_one_masked_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    number = "+14155550123"
    try:
        raise ValueError(f"no customer for {number}")
    except ValueError:
        logging.getLogger("a").exception("failed", stack_info=True)
    (line,) = written(capsys)
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: no customer for ***23")
    assert line["stack"].startswith("Stack (most recent call last):\n")
    assert number not in line["exception"] + line["stack"]


def test_only_what_is_at_the_level_is_written_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug")
    configure("warning")
    logging.getLogger("a").info("left out")
    logging.getLogger("a").error("kept")
    assert [line["event"] for line in written(capsys)] == ["kept"]


def test_a_line_that_cannot_be_formatted_is_told_without_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers.clear()  # pytest's own would raise
    configure("info")
    logging.getLogger("a").error("%d", "+14155550123")
    (line,) = written(capsys)
    assert line == {"event": "a line of a could not be logged", "level": "error"}


@pytest.mark.parametrize("broken", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")])
def test_a_log_that_cannot_be_written_breaks_nothing(broken: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise broken

    logging.getLogger().handlers.clear()
    configure("info")
    monkeypatch.setattr("sys.stderr", Full())
    logging.getLogger("a").error("the disk is full")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("+14155550123", "***23"),
        ("4155550123 and 5550123", "***23 and ***23"),
        ("555012", "555012"),
        ("(415) 555-0123", "(***23"),
        ("+1 415.555.0123", "***23"),
        ("%2B14155550123&x", "%2B***23&x"),
        ("tel:+4915123456789;x=1", "tel:***89;x=1"),
        ("٤١٥٥٥٥٠١٢٣", "***٢٣"),
        ("sk_prod_abcdefgh" + "x" * 43, "sk_***"),
        ("Bearer abc.def", "Bearer ***"),
        ("Authorization: Bearer abc, next", "Authorization: ***, next"),
        ("authorization=Digest a=b, c=d", "authorization=***"),
        ("{'Authorization': 'Bearer a b'}", "{'Authorization': ***}"),
        ("X-Twilio-Signature: abc/def+1=", "X-Twilio-Signature: ***"),
        ("auth_tokens=('one', 'two') x", "auth_tokens=***) x"),
        ('"password": "a\\"b, c"', '"password": ***'),
        ("token 0123456789abcdef0123456789abcdef", "token ***"),
        (f"call {SID} of req_{'1' * 24}", f"call {SID} of req_{'1' * 24}"),
        ("2026-11-23T10:00:00 from 192.168.100.200:8080", "2026-11-23T10:00:00 from 192.168.100.200:8080"),
        ("+2026-11-23 and 999.999.999.999", "***23 and ***99"),
    ],
)
def test_what_could_name_somebody_or_open_something_is_masked_and_the_rest_is_not(text: str, clean: str) -> None:
    assert masked(text) == clean


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        (None, None),
        (True, True),
        (12, 12),
        (4155550123, "***23"),
        (4155550123.0, "***30"),
        (-4155550123, "-***23"),
        (0.123456789, 0.123456789),
        (float("inf"), "inf"),
        (b"+14155550123", "***23"),
        ({"+14155550123": 1, b"password": "x"}, {"***23": 1, "password": "***"}),
        ([("Authorization", "Bearer x"), (1, 2)], [["Authorization", "***"], [1, 2]]),
        ({1}, [1]),
        (ValueError("+14155550123"), "ValueError: ***23"),
        (
            {"auth_tokens": ["a"], "X-Twilio-Signature": "b", "Cookie": "c"},
            dict.fromkeys(["auth_tokens", "X-Twilio-Signature", "Cookie"], "***"),
        ),
    ],
)
def test_every_kind_of_value_is_masked(value: Any, clean: Any) -> None:
    assert masked(value) == clean


def test_a_value_that_holds_itself_is_cut_off() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    assert masked(circle) == [1, "…"]


def test_a_value_that_cannot_be_printed_is_named() -> None:
    class Stubborn:
        def __repr__(self) -> str:
            raise RuntimeError("+14155550123")

    assert masked(Stubborn()) == "<Stubborn>"
    huge = 10**5_000
    assert masked(huge) == "<int>"


@dataclass
class Holder:
    """Something with a repr of its own."""

    inside: Any


_PLANTS = st.one_of(
    st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True),
    st.from_regex(r"sk_(test|prod)_[a-z2-9]{8}[A-Za-z0-9_-]{43}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
)
_TEXT = st.text(st.characters(exclude_categories=["Cs", "L", "N"], exclude_characters="_"), max_size=5)


def _around(plant: str) -> st.SearchStrategy[Any]:
    """`plant` in a text, and that in any structure."""
    as_number = st.just(int(plant)) if plant.isdecimal() else st.nothing()
    leaf = st.tuples(_TEXT, _TEXT).map(lambda ends: f"{ends[0]}{plant}{ends[1]}") | as_number
    leaf |= leaf.map(lambda value: str(value).encode())
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3),
            st.tuples(inner, inner),
            st.dictionaries(_TEXT, inner, min_size=1, max_size=3),
            inner.map(lambda value: {str(value): 1}),
            inner.map(Holder),
            inner.map(lambda value: ValueError(value)),
            inner.map(lambda value: [json.dumps(str(value))]),
        ),
        max_leaves=4,
    )


@given(plant=_PLANTS, data=st.data())
def test_a_planted_number_or_key_never_comes_out(plant: str, data: st.DataObject) -> None:
    value = data.draw(_around(plant))
    line = json.dumps(masked({"event": "x", "value": value, "+14155550123": str(value)}))
    assert plant not in line
    if plant.startswith("+") or plant.isdecimal():
        assert plant[1:-2] not in line


@given(
    st.recursive(
        st.none() | st.floats() | st.integers() | st.text() | st.binary() | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )
)
def test_anything_can_be_logged(value: Any) -> None:
    json.loads(json.dumps(masked(value), allow_nan=False))


def test_the_mask_keeps_two_digits_at_most() -> None:
    assert masked("+1415555" + "0123").endswith("***23")


def test_where_a_server_listens_stays_readable() -> None:
    assert masked("Listening at: http://127.0.0.1:8080 (4827)") == "Listening at: http://127.0.0.1:8080 (4827)"
