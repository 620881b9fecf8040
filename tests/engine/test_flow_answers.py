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
        ("en", "forty seven eleven", ""),
        ("en", "eins zwei", ""),
        ("en", "my PIN is four seven one one please", "4711"),
        ("en", "um, the last four digits are 4 7 1 1", "4711"),
        ("de", "Meine PIN ist vier sieben eins eins, bitte", "4711"),
        ("de", "die letzten vier Ziffern sind 4711", "4711"),
        ("es", "mi PIN es cuatro siete uno uno, por favor", "4711"),
        ("es", "los \u00faltimos cuatro d\u00edgitos son 4711", "4711"),
        ("fr", "mon code est quatre sept un un, s'il vous pla\u00eet", "4711"),
        ("fr", "les quatre derniers chiffres sont 4711", "4711"),
        ("en", "a 4711", ""),
        ("en", "K4711", ""),
        ("en", "\u0664\u0667", ""),
        ("it", "one two", "12"),
        ("en", "\uff11\uff12", "12"),
        ("en", "", ""),
    ],
)
def test_words_that_are_no_digits_are_not_heard(language: str, speech: str, heard: str) -> None:
    assert digits(a_turn(speech=speech), language) == heard


SENTENCES = [
    ("en", "I have one question"),
    ("en", "no one told me"),
    ("en", "oh well I have 2 of them"),
    ("en", "can I talk to someone at extension 12"),
    ("de", "ich habe eine Frage"),
    ("de", "ein Mitarbeiter bitte"),
    ("de", "die Nummer wei\u00df ich nicht, null Ahnung"),
    ("es", "un agente"),
    ("es", "tengo una pregunta por favor"),
    ("fr", "un conseiller"),
    ("fr", "j'ai une question"),
]


@pytest.mark.parametrize(("language", "speech"), SENTENCES)
def test_a_sentence_with_a_number_in_it_is_no_answer(language: str, speech: str) -> None:
    """Else it would count as a wrong PIN, and be looked up as an account."""
    assert digits(a_turn(speech=speech), language) == ""
    assert account(a_turn(speech=speech), None, language) == ""


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
        pytest.param("", "Meine Kundennummer lautet K 47 eins 1", None, "de", "K4711", id="German"),
        pytest.param("", "K 47 elf 11", None, "de", "", id="a number that is not told digit by digit"),
        pytest.param("", "AB123456", None, "en", "AB123456", id="letters and digits run together"),
        pytest.param("", "ab 12", None, "en", "", id="letters that may be a word"),
        pytest.param("", "No 12", None, "en", "", id="a word that begins a sentence"),
        pytest.param("", "AB 1234.", None, "en", "AB1234", id="letters in a group"),
        pytest.param("", "my account number is AB-12 34", None, "en", "AB1234", id="groups of both"),
        pytest.param("", "12 ABC", None, "de", "12ABC", id="letters at the end"),
        pytest.param("", "My PIN is AB one", None, "en", "AB1", id="a capital word that introduces it"),
        pytest.param("", "ABCD 12", None, "en", "", id="four letters"),
        pytest.param("", "AB", None, "en", "", id="letters alone"),
        pytest.param("", "AB is 12", None, "en", "", id="a word between"),
        pytest.param("", "mi número de cuenta es uno dos tres", None, "es", "123", id="Spanish"),
        pytest.param("", "mon numéro de client est zéro sept", None, "fr", "07", id="French"),
        pytest.param("", "hello there", None, "en", "", id="no digit at all"),
        pytest.param("", "é1", None, "en", "E1", id="accents dropped"),
        pytest.param("", "李1", None, "en", "", id="only plain letters"),
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
