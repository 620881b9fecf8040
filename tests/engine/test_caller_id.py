"""What may become a caller's identity and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.caller_id import CallerId, read_ani

KEYPAD = ["266696687", "7378742833", "7378742883", "2562533", "8656696", "86282452253", "464"]


@pytest.mark.parametrize(
    "raw",
    ["+14155550123", "+447700900123", "+1234567", "+123456789012345", " +14155550123\n"],
    ids=["us", "uk", "shortest", "longest", "blanks-around"],
)
def test_an_e164_number_is_a_caller(raw: str) -> None:
    assert read_ani(raw) == CallerId(number=raw.strip())


@pytest.mark.parametrize("digits", KEYPAD)
@pytest.mark.parametrize("prefix", ["+", "", "+1", "1", "sip:+", "sip:", "client:", "tel:+1"])
@pytest.mark.parametrize("suffix", ["", "@sip.example.com", ";user=phone", " "])
def test_a_word_spelled_on_a_keypad_is_withheld(prefix: str, digits: str, suffix: str) -> None:
    assert read_ani(f"{prefix}{digits}{suffix}") == CallerId(note="withheld")


@pytest.mark.parametrize(
    "raw",
    [
        "anonymous",
        "Anonymous",
        "RESTRICTED",
        "unavailable",
        "unknown",
        "Private Number",
        "blocked",
        "Number withheld",
        "No Caller ID",
        "client:Anonymous",
        "sip:anonymous@anonymous.invalid",
        "sips:1001@anonymous.invalid",
        '"Anonymous" <sip:c8oqz84zk7z@privacy.example.org>',
        "sip:Unavailable@10.0.0.1:5060;transport=udp",
    ],
)
def test_a_word_for_withheld_is_withheld(raw: str) -> None:
    assert read_ani(raw) == CallerId(note="withheld")


@pytest.mark.parametrize("raw", [None, "", " ", "\t\n"])
def test_nothing_is_missing(raw: str | None) -> None:
    assert read_ani(raw) == CallerId(note="missing")


@pytest.mark.parametrize(
    "raw",
    [
        "1234",
        "4155550123",
        "14155550123",
        "004915555501234",
        "+0155550123",
        "+123456",
        "+1234567890123456",
        "+1 415 555 0123",
        "+1-415-555-0123",
        "+1415555o123",
        "++14155550123",
        "+1" + "\u0665" * 10,  # Arabic digits
        "+14155550123\x00",
        "+14155550123+14155550199",
        "sip:+14155550123@carrier.example.com;user=phone",
        "whatsapp:+14155550123",
        "client:alice",
        "tel:+14155550123",
        "+811045000",
        "\ud800",
    ],
)
def test_what_cannot_be_dialed_as_it_stands_is_no_identity(raw: str) -> None:
    assert read_ani(raw) == CallerId(note="not_dialable")


@given(st.text())
def test_reading_never_raises_and_a_number_is_what_was_sent(raw: str) -> None:
    caller = read_ani(raw)
    assert (caller.number is None) is (caller.note is not None)
    assert caller.number in (None, raw.strip())


@given(st.sampled_from(KEYPAD), st.sampled_from(["", "+", "1", "+1"]), st.text(" \t\r\n ", max_size=3))
def test_blanks_do_not_make_a_withheld_caller_a_number(digits: str, prefix: str, blanks: str) -> None:
    assert read_ani(blanks + prefix + digits + blanks).number is None
