"""What the built-in words sound like: every text in every language, with everything known and with nothing."""

from __future__ import annotations

import itertools
import re

import pytest

from adapter.twilio.templates import FACTS
from adapter.twilio.texts import Fact, Texts
from adapter.twilio.words import BUILT_IN

KNOWN: dict[str, Fact] = {
    "name": "Maria",
    "intent": "refund",
    "attempt": 3,
    "attempt_count": 2,
    "recommendation": "reuse",
    "verified": 1,
    "speech": 1,
    "key": "7",
    "count": 4,
    "length": 8,
}
UNKNOWN: dict[str, Fact] = {
    "name": None,
    "intent": None,
    "attempt": None,
    "attempt_count": None,
    "recommendation": "ignore",
    "verified": 0,
    "speech": 0,
    "length": None,
    "key": None,
}
# What the engine always knows when it has these said.
ALWAYS = {"ask_language": {"key": "7"}, "menu_option": {"intent": "refund"}, "offer": {"intent": "refund"}}
EVERY = list(itertools.product(BUILT_IN, sorted(FACTS)))


def said(language: str, name: str, facts: dict[str, Fact]) -> str:
    known = {fact: facts.get(fact, KNOWN.get(fact)) for fact in FACTS[name]}
    return Texts().compose(name, language, {**known, **ALWAYS.get(name, {})})


@pytest.mark.parametrize(("language", "name"), EVERY)
@pytest.mark.parametrize("facts", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_every_text_is_a_short_sentence_in_all_cases(language: str, name: str, facts: dict[str, Fact]) -> None:
    text = said(language, name, facts)
    assert 5 < len(text) < 200
    assert text[-1] in ".?!"
    assert text[0].isupper() or text[0] == "¿"
    for odd in ("None", "{", "}", ", .", " ,", " .", "  ", "..", "?."):
        assert odd not in text, text


@pytest.mark.parametrize(("language", "name"), EVERY)
def test_every_fact_that_is_a_word_or_a_number_of_digits_is_mentioned(language: str, name: str) -> None:
    text = said(language, name, KNOWN)
    for fact in FACTS[name] & {"name", "intent", "key", "count", "length"}:
        assert str(KNOWN[fact]) in text


@pytest.mark.parametrize("language", BUILT_IN)
@pytest.mark.parametrize("name", sorted(name for name, facts in FACTS.items() if "speech" in facts))
def test_whoever_may_only_press_keys_is_not_told_to_speak(language: str, name: str) -> None:
    spoken, keyed = said(language, name, KNOWN), said(language, name, {**KNOWN, "speech": 0})
    assert spoken != keyed
    assert not re.search(r"\b(say|tell me|sagen|nennen|diga|dígalo|dites|dire)\b", keyed.lower())


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (None, "calling about refund"),
        (1, "calling about refund"),
        (2, "second call about refund"),
        (3, "third call about refund"),
        (4, "fourth call about refund"),
        (5, "fifth call about refund"),
        (6, "call number 6 about refund"),
    ],
)
def test_an_agent_hears_which_call_it_is(attempt: int | None, words: str) -> None:
    assert said("en", "whisper", {**KNOWN, "attempt": attempt, "verified": 0}) == f"Returning caller, Maria, {words}."


@pytest.mark.parametrize(
    ("recommendation", "verified", "words"),
    [
        ("reuse", 0, "Returning caller, Maria."),
        ("reuse", 1, "Verified caller, Maria."),
        ("confirm", 0, "Caller not verified, Maria."),
        ("ignore", 0, "New caller, Maria."),
    ],
)
def test_an_agent_hears_how_sure_we_are(recommendation: str, verified: int, words: str) -> None:
    facts = {**KNOWN, "intent": None, "recommendation": recommendation, "verified": verified}
    assert said("en", "whisper", facts) == words


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("fr", "reuse", "Nous nous occupons encore de votre demande : remboursement."),
        ("fr", "offer", "Appelez-vous au sujet de cette demande : remboursement ?"),
        ("fr", "menu_option", "Appuyez sur 7 pour : remboursement."),
        ("fr", "whisper", "troisième appel, motif : remboursement."),
        ("de", "reuse", "Ihr Anliegen Erstattung ist noch offen."),
        ("de", "offer", "wegen Ihres Anliegens Erstattung an?"),
        ("de", "whisper", "dritter Anruf zum Thema Erstattung."),
        ("es", "reuse", "Su consulta sobre reembolso sigue abierta."),
        ("es", "offer", "¿Llama por su consulta sobre reembolso?"),
    ],
)
def test_any_noun_fits_without_its_article(language: str, text: str, words: str) -> None:
    noun = {"fr": "remboursement", "de": "Erstattung", "es": "reembolso"}[language]
    facts = {**KNOWN, "intent": noun}
    assert words in Texts().compose(text, language, {fact: facts[fact] for fact in FACTS[text]})


@pytest.mark.parametrize("text", ["ask_name", "ask_digits", "ask_pin"])
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Before we go on"), ("de", "Bevor wir weitermachen"), ("es", "Antes de seguir"), ("fr", "Avant de cont")],
)
def test_a_proof_is_asked_for_with_a_word_that_more_will_follow(text: str, language: str, words: str) -> None:
    assert said(language, text, KNOWN).startswith(words)
    assert said(language, text, UNKNOWN).startswith(words)


@pytest.mark.parametrize("language", BUILT_IN)
def test_an_agent_hears_each_of_the_first_calls_otherwise(language: str) -> None:
    heard = [said(language, "whisper", {**KNOWN, "attempt": attempt}) for attempt in range(1, 8)]
    assert len(set(heard)) == 7
    assert not any(character.isdigit() for text in heard[:5] for character in text)


@pytest.mark.parametrize("language", BUILT_IN)
def test_who_could_not_prove_it_is_not_told_whether_there_was_anything_to_prove(language: str) -> None:
    assert FACTS["not_verified"] == frozenset()
    assert not re.search(r"wrong|account|customer|falsch|Kunde|client|cuenta", said(language, "not_verified", {}))
