"""A menu's rules: by key, by words, by the intent's own name; the first that fits counts."""

from __future__ import annotations

import pytest

from adapter.engine.flow.menu import called, chosen, hints
from adapter.engine.line import IntentRule, Menu, MenuOption
from tests.builders import a_line
from tests.engine.talks import INTENTS, MENU, a_turn

LINE = a_line(menu=MENU, intents=INTENTS)


@pytest.mark.parametrize(
    ("keys", "speech", "language", "intent"),
    [
        pytest.param("1", "", "en", "refund", id="its key"),
        pytest.param("2", "money back", "en", "new_order", id="keys before words"),
        pytest.param("9", "money back", "en", "", id="no such key"),
        pytest.param("12", "", "en", "", id="two keys"),
        pytest.param("*", "", "en", "", id="another key"),
        pytest.param("", "I want my MONEY, back!", "en", "refund", id="its words, case and punctuation"),
        pytest.param("", "give me back my money", "en", "", id="the words in another order"),
        pytest.param("", "reorder", "en", "", id="no whole word"),
        pytest.param("", "I'd like to order", "en", "new_order", id="one of several"),
        pytest.param("", "a refund please", "en-US", "refund", id="the intent's spoken name"),
        pytest.param("", "Eine Erstattung bitte", "de-AT", "refund", id="in the language of the call"),
        pytest.param("", "Erstattung", "en", "", id="not in another language"),
        pytest.param("", "new order", "de", "new_order", id="the intent's name, words for underscores"),
        pytest.param("", "a complaint about my order", "en", "new_order", id="the first that fits"),
        pytest.param("", "complaint", "en", "complaint", id="an option without key and words"),
        pytest.param("", "", "en", "", id="nothing"),
    ],
)
def test_the_first_option_that_fits(keys: str, speech: str, language: str, intent: str) -> None:
    assert chosen(LINE, MENU, a_turn(keys, speech), language) == intent


ALIKE = [
    ("en", "refund", "refunds please"),
    ("en", "orders", "my order"),
    ("en", "box", "two boxes"),
    ("en", "address", "new addresses"),
    ("en", "purchases", "a purchase"),
    ("en-GB", "open invoices", "an open invoice"),
    ("de", "Bestellung", "meine Bestellungen"),
    ("de", "Karten", "die Karte"),
    ("de", "Termin", "Termine"),
    ("de-AT", "Auftrag", "Auftr\u00e4ge"),
    ("es", "pedidos", "un pedido"),
    ("es", "devoluci\u00f3n", "devoluciones"),
    ("fr", "commande", "mes commandes"),
]
FALSE_FRIENDS = [
    ("en", "new", "the news"),
    ("en", "good", "my goods"),
    ("en", "custom", "customs"),
    ("en", "princes", "princess"),
    ("en", "bus", "bu"),
    ("en", "statu", "status"),
    ("en", "claim", "claimed"),
    ("de", "Reis", "meine Reise"),
    ("de", "Ware", "wir waren da"),
    ("de", "Bestellung", "bestellt"),
    ("de", "order", "orders"),
    ("es", "gracia", "gracias"),
    ("es", "ante", "antes"),
    ("fr", "cour", "un cours"),
    ("fr", "moin", "moins"),
    ("pl", "order", "orders"),
]


@pytest.mark.parametrize(("language", "word", "speech"), ALIKE)
def test_a_word_fits_in_singular_and_plural(language: str, word: str, speech: str) -> None:
    menu = Menu((MenuOption("chosen", words=(word,)),))
    assert chosen(LINE, menu, a_turn(speech=speech), language) == "chosen"


@pytest.mark.parametrize(("language", "word", "speech"), FALSE_FRIENDS)
def test_words_that_only_look_like_a_plural_do_not_fit(language: str, word: str, speech: str) -> None:
    menu = Menu((MenuOption("chosen", words=(word,)),))
    assert chosen(LINE, menu, a_turn(speech=speech), language) == ""


def test_an_option_whose_very_word_was_said_goes_before_one_in_another_number() -> None:
    menu = Menu((MenuOption("all", words=("orders",)), MenuOption("one", words=("order",))))
    assert chosen(LINE, menu, a_turn(speech="my order"), "en") == "one"


def test_accents_do_not_matter() -> None:
    menu = Menu((MenuOption("claim", words=("Réclamation",)),))
    assert chosen(LINE, menu, a_turn(speech="une reclamation"), "fr") == "claim"


def test_words_without_letters_fit_nothing() -> None:
    assert chosen(LINE, Menu((MenuOption("odd", words=("!",)),)), a_turn(speech="anything"), "en") == ""


@pytest.mark.parametrize(
    ("said", "language", "heard"),
    [
        ({"en": "parcel", "en-GB": "packet"}, "en-GB", "packet"),
        ({"en": "parcel"}, "en-GB", "parcel"),
        ({"en": "parcel"}, "de", "lost package"),
        ({}, "en", "lost package"),
    ],
)
def test_an_intent_is_called_by_the_nearest_language(said: dict[str, str], language: str, heard: str) -> None:
    assert called(a_line(intents={"lost_package": IntentRule(said=said)}), "lost_package", language) == heard


def test_an_intent_without_a_rule_is_called_by_its_name() -> None:
    assert called(a_line(), "lost_package", "en") == "lost package"


def test_hints_are_what_callers_are_likely_to_say_each_once() -> None:
    assert hints(LINE, MENU, "de") == (
        "money back",
        "Erstattung",
        "order",
        "buy something",
        "new order",
        "complaint",
    )
