"""Digits, account numbers, yes and no: keyed in, or said in four languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.flow.answers import account, digits, expected, is_same, is_silent, yes_or_no
from adapter.engine.line import Confirm, ProofKind
from tests.engine.talks import a_turn

COUNTING = {
    "en-US": "zero one two three four five six seven eight nine",
    "de-DE": "Null eins zwei drei vier fünf sechs sieben acht neun",
    "es-ES": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr-FR": "zéro un deux trois quatre cinq six sept huit neuf",
}


@pytest.mark.parametrize(("language", "speech"), COUNTING.items())
def test_digits_are_counted_in_four_languages(language: str, speech: str) -> None:
    assert digits(a_turn(speech=speech), language) == "0123456789"


@pytest.mark.parametrize(
    ("language", "speech", "heard"),
    [
        ("en", "oh four, seven one", "0471"),
        ("de", "zwo drei ein fuenf", "2315"),
        ("es", "un dos una", "121"),
        ("fr", "une deux", "12"),
        ("en", "4711", "4711"),
        ("en", "It's 4 7-1.1, please", "4711"),
        ("en", "forty seven eleven", "7"),
        ("en", "eins zwei", ""),
        ("it", "one two", "12"),
        ("en", "\uff11\uff12", "12"),
        ("en", "", ""),
    ],
)
def test_words_that_are_no_digits_are_not_heard(language: str, speech: str, heard: str) -> None:
    assert digits(a_turn(speech=speech), language) == heard


@pytest.mark.parametrize(("keys", "heard"), [("4711", "4711"), ("*47#11", "4711"), ("**", ""), ("12w3", "123")])
def test_of_the_keys_only_digits_count_and_before_words(keys: str, heard: str) -> None:
    assert digits(a_turn(keys, "nine nine"), "en") == heard


@pytest.mark.parametrize(
    ("keys", "speech", "silent"),
    [("", "", True), ("", "  ", True), ("*", "", False), ("", "uh", False)],
)
def test_silence_is_no_key_and_no_word(keys: str, speech: str, silent: bool) -> None:
    assert is_silent(a_turn(keys, speech)) is silent


@pytest.mark.parametrize(
    ("keys", "speech", "length", "language", "heard"),
    [
        pytest.param("123456", "", 6, "en", "123456", id="keyed in"),
        pytest.param("12345", "", 6, "en", "", id="one short"),
        pytest.param("1234567", "", 6, "en", "", id="one long"),
        pytest.param("12*3456", "", 6, "en", "123456", id="other keys dropped"),
        pytest.param("", "one two three four five six", 6, "en", "123456", id="said"),
        pytest.param("", "A B 123456", 6, "en", "", id="letters where digits are wanted"),
        pytest.param("", "my account number is a b - one 2 3", None, "en", "AB123", id="letters, upper case"),
        pytest.param("", "Meine Kundennummer lautet K 47 elf 11", None, "de", "K47ELF11", id="German"),
        pytest.param("", "mi número de cuenta es uno dos tres", None, "es", "123", id="Spanish"),
        pytest.param("", "mon numéro de client est zéro sept", None, "fr", "07", id="French"),
        pytest.param("", "hello there", None, "en", "", id="no digit at all"),
        pytest.param("", "é1", None, "en", "E1", id="accents dropped"),
        pytest.param("", "李1", None, "en", "1", id="only plain letters"),
        pytest.param("1" * 64, "", None, "en", "1" * 64, id="at most 64"),
        pytest.param("1" * 65, "", None, "en", "", id="not 65"),
        pytest.param("", "", None, "en", "", id="nothing"),
    ],
)
def test_an_account_number_is_what_it_would_be_written_as(
    keys: str, speech: str, length: int | None, language: str, heard: str
) -> None:
    assert account(a_turn(keys, speech), length, language) == heard


YES, NO = True, False


@pytest.mark.parametrize(
    ("language", "speech", "meant"),
    [
        ("en", "Yes.", YES),
        ("en", "yeah, that's right", YES),
        ("en", "No, thanks", NO),
        ("en", "that's not it", NO),
        ("en", "I don't know", NO),
        ("en", "not sure", None),
        ("en", "yes no", None),
        ("en", "refund", None),
        ("en", "knowing yesterday", None),
        ("de", "Ja, genau", YES),
        ("de", "Natürlich!", YES),
        ("de", "nein", NO),
        ("de", "Das ist nicht richtig", None),
        ("es", "Sí, claro", YES),
        ("es", "no", NO),
        ("es", "sí y no", None),
        ("fr", "Oui, d'accord", YES),
        ("fr", "non", NO),
        ("fr", "oui non", None),
        ("pl", "yes", YES),
    ],
)
def test_yes_and_no_in_four_languages(language: str, speech: str, meant: bool | None) -> None:
    assert yes_or_no(a_turn(speech=speech), language) is meant


@pytest.mark.parametrize(("keys", "meant"), [("1", YES), ("2", NO), ("3", None), ("12", None), ("*", None)])
def test_yes_is_1_and_no_is_2(keys: str, meant: bool | None) -> None:
    assert yes_or_no(a_turn(keys, "yes"), "en") is meant


@pytest.mark.parametrize(
    ("confirm", "secret", "wanted"),
    [
        (Confirm(ProofKind.DIGITS, digits=4), "AC-1234567", "4567"),
        (Confirm(ProofKind.DIGITS, digits=4), "12 3", ""),
        (Confirm(ProofKind.DIGITS, digits=4), "1234", "1234"),
        (Confirm(ProofKind.PIN), "4711", "4711"),
        (Confirm(ProofKind.PIN), "47-11 0", "47110"),
        (Confirm(ProofKind.PIN), "secret", ""),
        (Confirm(ProofKind.PIN), "", ""),
        (Confirm(ProofKind.PIN), "\u0661\u0662", ""),
    ],
)
def test_what_cannot_be_keyed_in_proves_nothing(confirm: Confirm, secret: str, wanted: str) -> None:
    assert expected(confirm, secret) == wanted


def test_nothing_is_not_the_same_as_nothing() -> None:
    assert is_same("4711", "4711")
    assert not is_same("4711", "47110")
    assert not is_same("", "")


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de", "es", "fr"]))
def test_any_answer_is_understood_or_not(keys: str, speech: str, language: str) -> None:
    turn = a_turn(keys, speech)
    assert digits(turn, language).strip("0123456789") == ""
    assert len(account(turn, None, language)) <= 64
    assert yes_or_no(turn, language) in (True, False, None)
