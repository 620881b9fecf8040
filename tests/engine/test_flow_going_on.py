"""What is said at each step of a conversation, and what is waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.flow import Ask, HandOver, HangUp, Known, Record, Say, Step, begin, go_on
from adapter.engine.line import DEFAULT, Destination, DestinationKind, Disclosure, DisclosureRules, Line, Offer, Spoken
from adapter.engine.model import Memory, Place, Talk
from tests.builders import NOW, a_line
from tests.engine.talks import (
    BY_DIGITS,
    BY_NAME,
    BY_PIN,
    CALL,
    CONFIRM,
    DESTINATIONS,
    IDENTIFY,
    IGNORE,
    LANGUAGES,
    MARIA,
    MENU,
    REF,
    REUSE,
    a_caller,
    a_full_line,
    a_memory,
    a_talk,
    an_intent,
    facts,
    texts,
)

LATER = NOW + 7_000


def begun(recommendation: Any = IGNORE, known: dict[str, Any] | None = None, **parts: Any) -> tuple[Talk, Step]:
    line = a_line(**parts)
    return begin(line, a_caller(line, recommendation, **(known or {})), NOW)


class TestAPlainLine:
    """Callers of a line that asks nothing are greeted and put through at once."""

    @pytest.mark.parametrize(
        ("recommendation", "text", "said"),
        [
            (REUSE, "reuse", {"name": "Maria Miller", "intent": "refund", "attempt_count": 2}),
            (CONFIRM, "confirm", {}),
            (IGNORE, "ignore", {}),
        ],
    )
    def test_is_greeted_as_recommended_and_put_through(
        self, recommendation: Any, text: str, said: dict[str, Any]
    ) -> None:
        talk, step = begun(recommendation)
        assert [each.text for each in step.says] == [text]
        assert facts(step, text) == said
        assert isinstance(step.then, HandOver)
        assert step.then.destination == a_line().destination
        assert talk == Talk(Place.HANDED_OVER, turn=1, since=NOW, tried=(DEFAULT,))
        assert step.turn == 1

    def test_reuse_without_memory_has_nothing_to_say(self) -> None:
        _, step = begun(REUSE, {"memory": Memory()})
        assert facts(step, "reuse") == {"name": None, "intent": None, "attempt_count": None}

    def test_it_is_spoken_in_the_lines_language_and_voice(self) -> None:
        _, step = begun(language="es-ES", voice="Polly.Lucia")
        assert step.says == (Say("ignore", "es-ES", {}, "Polly.Lucia"),)

    def test_a_remembered_language_is_spoken(self) -> None:
        talk, step = begun(REUSE, {"memory": a_memory(language="de")}, languages=(Spoken("en-US"), Spoken("de-DE")))
        assert (talk.language, step.says[0].language) == ("de-DE", "de-DE")

    @pytest.mark.parametrize(
        ("remembered", "spoken"),
        [("de-AT", "de-AT"), ("DE_de", "de-DE"), ("de-CH", "de-DE"), ("fr", "en-US"), ("", "en-US")],
    )
    def test_the_nearest_language_is_taken(self, remembered: str, spoken: str) -> None:
        languages = (Spoken("en-US"), Spoken("de-DE"), Spoken("de-AT"))
        _, step = begun(REUSE, {"memory": a_memory(language=remembered)}, languages=languages)
        assert step.says[0].language == spoken

    def test_only_variables_that_are_named_can_be_mentioned(self) -> None:
        rules = DisclosureRules(
            {"city": Disclosure.PUBLIC, "iban": Disclosure.SENSITIVE, "mother's": Disclosure.PUBLIC}
        )
        memory = a_memory(name="Maria", city="Bonn", iban="DE02", shoe_size="38")
        _, step = begun(REUSE, {"memory": memory}, disclosure=rules)
        assert facts(step, "reuse") == {
            "name": "Maria",
            "intent": None,
            "attempt_count": None,
            "city": "Bonn",
            "iban": None,
        }

    def test_what_is_known_goes_along(self) -> None:
        _, step = begun(REUSE, destination=DESTINATIONS["sales"])
        assert isinstance(step.then, HandOver)
        assert step.then.context == (
            ("call_id", CALL),
            ("customer_ref", REF),
            ("recommendation", "reuse"),
            ("verified", "no"),
            ("intent", "refund"),
            ("attempt", "3"),
            ("name", "Maria Miller"),
            ("language", "en-US"),
        )

    def test_nobody_is_taken_up_again_there(self) -> None:
        line = a_line()
        _, step = begin(line, a_caller(line), NOW, a_talk(Place.HANDED_OVER))
        assert texts(step) == ["ignore"]

    @pytest.mark.parametrize(
        ("kind", "said", "place"),
        [
            (DestinationKind.HANGUP, ["reuse"], Place.OVER),
            (DestinationKind.VOICEMAIL, ["welcome_back", "voicemail"], Place.VOICEMAIL),
            (DestinationKind.CALLBACK, ["welcome_back", "callback"], Place.OVER),
        ],
    )
    def test_where_nobody_is_rung_nobody_is_asked_to_wait(
        self, kind: DestinationKind, said: list[str], place: Place
    ) -> None:
        talk, step = begun(REUSE, destination=Destination(kind))
        assert (texts(step), talk.place) == (said, place)


class TestFirstWords:
    @pytest.mark.parametrize(
        ("recommendation", "known", "text"),
        [
            (IGNORE, {}, "welcome"),
            (CONFIRM, {}, "welcome"),
            (CONFIRM, {"provable": True}, "welcome"),
            (REUSE, {}, "welcome_back"),
            (REUSE, {"people": 2, "provable": True}, "welcome"),
            (REUSE, {"verified": True}, "welcome_back"),
        ],
    )
    def test_who_is_known_is_welcomed_back(self, recommendation: Any, known: dict[str, Any], text: str) -> None:
        _, step = begun(recommendation, known, menu=MENU, confirm=BY_NAME, languages=LANGUAGES)
        assert texts(step)[0] == text

    def test_by_name(self) -> None:
        _, step = begun(REUSE, menu=MENU)
        assert facts(step, "welcome_back") == {"name": "Maria Miller"}

    def test_not_by_the_name_that_they_will_be_asked_for(self) -> None:
        _, step = begun(REUSE, {"provable": True}, confirm=replace(BY_NAME, always=True))
        assert "Maria" not in str(step)
        assert texts(step) == ["welcome", "ask_name"]

    def test_who_is_asked_nothing_is_put_through_as_on_a_plain_line(self) -> None:
        talk, step = begun(REUSE, identify=IDENTIFY)
        assert (texts(step), talk.turn, step.turn, talk.tried) == (["reuse"], 1, 1, ("",))


QUESTIONS = [
    pytest.param(
        {"languages": LANGUAGES},
        IGNORE,
        {},
        [
            Say("ask_language", "en-US", {"key": "1"}, "Polly.Joanna"),
            Say("ask_language", "de-DE", {"key": "2"}, "Polly.Vicki"),
        ],
        Ask(1, speech=False),
        id="language, each in its own",
    ),
    pytest.param(
        {"confirm": BY_NAME},
        IGNORE,
        {"people": 2, "provable": True},
        [Say("ask_who", "en-US", {"speech": 1})],
        Ask(),
        id="who, by name",
    ),
    pytest.param(
        {"confirm": BY_PIN},
        IGNORE,
        {"people": 2, "provable": True},
        [Say("ask_pin", "en-US", {"speech": 1})],
        Ask(),
        id="who, by PIN",
    ),
    pytest.param(
        {"confirm": BY_NAME},
        CONFIRM,
        {"provable": True},
        [Say("ask_name", "en-US", {"speech": 1})],
        Ask(),
        id="confirm by name",
    ),
    pytest.param(
        {"confirm": BY_DIGITS, "speech": False},
        CONFIRM,
        {"provable": True},
        [Say("ask_digits", "en-US", {"count": 4, "speech": 0})],
        Ask(4, speech=False),
        id="confirm by digits, keys only",
    ),
    pytest.param(
        {"confirm": BY_PIN, "speech": False},
        CONFIRM,
        {"provable": True},
        [Say("ask_pin", "en-US", {"speech": 0})],
        Ask(speech=False),
        id="confirm by PIN, keys only",
    ),
    pytest.param(
        {"identify": IDENTIFY},
        IGNORE,
        {},
        [Say("ask_account", "en-US", {"length": 6, "speech": 1})],
        Ask(6),
        id="identify, so many digits",
    ),
    pytest.param(
        {"identify": replace(IDENTIFY, length=None), "speech": False},
        IGNORE,
        {},
        [Say("ask_account", "en-US", {"length": None, "speech": 0})],
        Ask(speech=False),
        id="identify, any length",
    ),
    pytest.param(
        {"offer": Offer(), "speech": False},
        REUSE,
        {},
        [Say("offer", "en-US", {"intent": "refund", "attempt_count": 2, "speech": 0})],
        Ask(1, speech=False),
        id="offer, the newest",
    ),
    pytest.param(
        {"menu": MENU, "speech": False},
        IGNORE,
        {},
        [
            Say("menu", "en-US", {"speech": 0}),
            Say("menu_option", "en-US", {"intent": "refund", "key": "1"}),
            Say("menu_option", "en-US", {"intent": "new order", "key": "2"}),
            Say("menu_option", "en-US", {"intent": "complaint", "key": None}),
        ],
        Ask(1, speech=False),
        id="menu, keys only",
    ),
]


@pytest.mark.parametrize(("parts", "recommendation", "known", "says", "ask"), QUESTIONS)
def test_a_question_is_put_in_words(
    parts: dict[str, Any], recommendation: Any, known: dict[str, Any], says: list[Say], ask: Ask
) -> None:
    talk, step = begun(recommendation, known, **parts)
    assert list(step.says[1:]) == says
    assert step.then == ask
    assert (step.turn, talk.turn, talk.tries, talk.since) == (1, 1, 0, NOW)


def test_hints_are_yes_and_no_or_the_menus_words() -> None:
    offer, menu = begun(REUSE, offer=Offer())[1].then, begun(menu=MENU)[1].then
    assert isinstance(offer, Ask)
    assert isinstance(menu, Ask)
    assert {"yes", "no"} <= set(offer.hints)
    assert menu.hints == ("money back", "refund", "order", "buy something", "new order", "complaint")


LINE = a_full_line()


def going(talk: Talk, known: Known, line: Line = LINE) -> tuple[Talk, Step]:
    return go_on(line, talk, known, LATER)


def test_asking_again_says_so_and_keeps_the_time() -> None:
    talk, step = going(a_talk(Place.CONFIRM, turn=2, tries=1, wrong=1), a_caller(LINE, CONFIRM, provable=True))
    assert texts(step) == ["again", "ask_pin"]
    assert (talk.turn, step.turn, talk.tries, talk.wrong, talk.since) == (3, 3, 1, 1, NOW)


def test_the_next_question_starts_anew() -> None:
    talk, step = going(
        a_talk(Place.LANGUAGE, tries=1, visited=(Place.LANGUAGE,)), a_caller(LINE, CONFIRM, provable=True)
    )
    assert texts(step) == ["ask_pin"]
    assert (talk.place, talk.tries, talk.wrong, talk.since, talk.turn) == (Place.CONFIRM, 0, 0, LATER, 2)


@pytest.mark.parametrize("place", [Place.WHO, Place.CONFIRM])
def test_who_was_verified_is_thanked_by_name(place: Place) -> None:
    talk, step = going(a_talk(place, visited=(place,)), a_caller(LINE, REUSE, verified=True))
    assert texts(step) == ["verified", "offer"]
    assert facts(step, "verified") == {"name": "Maria Miller", "city": "Bonn"}
    assert talk.offered == ("refund",)


@pytest.mark.parametrize("place", [Place.WHO, Place.CONFIRM])
@pytest.mark.parametrize(
    "known",
    [
        pytest.param(a_caller(LINE, IGNORE, memory=Memory(), provable=False), id="no such customer"),
        pytest.param(a_caller(LINE, IGNORE, provable=True), id="refuted"),
        pytest.param(a_caller(LINE, CONFIRM, memory=Memory(), provable=True), id="silent"),
        pytest.param(a_caller(LINE, CONFIRM, memory=Memory(), provable=True, locked=True), id="locked"),
    ],
)
def test_who_was_not_hears_the_same_words_customer_or_not(place: Place, known: Known) -> None:
    talk = a_talk(place, visited=(Place.IDENTIFY, place), presented=("account", "123456"))
    _, step = going(talk, known)
    newcomer = going(talk, a_caller(LINE, IGNORE, memory=Memory()))[1]
    assert texts(step)[0] == "not_verified"
    assert step.says == newcomer.says


def test_the_question_for_an_account_is_followed_by_the_same_whether_it_exists() -> None:
    talk = a_talk(Place.IDENTIFY, visited=(Place.IDENTIFY,), presented=("account", "123456"))
    exists = going(talk, a_caller(LINE, CONFIRM, provable=True))
    nobody = going(talk, a_caller(LINE, IGNORE, memory=Memory(), provable=False))
    assert exists == nobody


def test_a_number_that_is_locked_meanwhile_is_asked_no_more() -> None:
    talk, step = going(a_talk(Place.CONFIRM, tries=1, wrong=1), a_caller(LINE, CONFIRM, provable=True, locked=True))
    assert texts(step)[0] == "not_verified"
    assert talk.locked
    assert Place.CONFIRM in talk.visited


def test_one_offer_after_the_other_and_then_the_menu() -> None:
    known = a_caller(LINE, REUSE)
    talk, step = going(a_talk(Place.OFFER, offered=("refund",)), known)
    assert (texts(step), facts(step, "offer")["intent"], talk.offered) == (
        ["offer"],
        "new order",
        ("refund", "new_order"),
    )
    talk, step = going(talk, known)
    assert (texts(step)[0], talk.place) == ("menu", Place.MENU)


def test_an_offer_is_repeated_as_it_was() -> None:
    talk, step = going(a_talk(Place.OFFER, offered=("refund", "new_order"), tries=1), a_caller(LINE, REUSE))
    assert (texts(step), facts(step, "offer")["intent"]) == (["again", "offer"], "new order")
    assert talk.offered == ("refund", "new_order")


def test_an_offer_that_was_resolved_meanwhile_is_not_repeated() -> None:
    known = a_caller(LINE, REUSE, memory=a_memory(an_intent("new_order")))
    talk, step = going(a_talk(Place.OFFER, offered=("refund",), tries=1), known)
    assert (texts(step)[0], talk.place) == ("menu", Place.MENU)


def test_what_is_offered_is_said_in_the_language_of_the_call() -> None:
    _, step = going(a_talk(Place.CONFIRM, visited=(Place.CONFIRM,), language="de-DE"), a_caller(LINE, REUSE))
    assert step.says[-1].language == "de-DE"
    assert facts(step, "offer")["intent"] == "Erstattung"


def test_a_verified_callers_language_is_spoken_from_then_on() -> None:
    known = a_caller(LINE, REUSE, verified=True, memory=a_memory(language="de"))
    talk, step = going(a_talk(Place.CONFIRM, visited=(Place.LANGUAGE, Place.CONFIRM)), known)
    assert (talk.language, step.says[0].language) == ("de-DE", "de-DE")


def test_a_chosen_language_is_not_changed_by_a_remembered_one() -> None:
    known = a_caller(LINE, REUSE, verified=True, memory=a_memory(language="de"))
    assert going(a_talk(Place.CONFIRM, visited=(Place.CONFIRM,), language="en-US"), known)[0].language == "en-US"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place.MENU, ["connecting"]),
        (Place.OFFER, ["connecting"]),
        (Place.CONFIRM, ["not_verified", "connecting"]),
        (Place.WHO, ["not_verified", "connecting"]),
    ],
)
def test_after_the_last_question_the_caller_is_put_through(place: Place, said: list[str]) -> None:
    line = a_full_line(identify=None)
    talk, step = going(a_talk(place, visited=(place,), intent="new_order"), a_caller(line, IGNORE), line)
    assert texts(step) == said
    assert isinstance(step.then, HandOver)
    assert (talk.place, talk.destination, talk.tried) == (Place.HANDED_OVER, "sales", ("sales",))
    assert place in talk.visited


@pytest.mark.parametrize(
    ("destination", "said", "then", "place"),
    [
        ("goodbye", ["goodbye"], HangUp(), Place.OVER),
        ("mailbox", ["voicemail"], Record(), Place.VOICEMAIL),
        ("callback", ["callback"], HangUp(), Place.OVER),
    ],
)
def test_an_intent_may_end_the_call(destination: str, said: list[str], then: Any, place: Place) -> None:
    line = a_full_line(intents={"refund": replace(LINE.intents["refund"], to=destination)})
    talk, step = going(a_talk(Place.MENU, visited=(Place.MENU,), intent="refund"), a_caller(line, IGNORE), line)
    assert (texts(step), step.then, talk.place) == (said, then, place)


def test_an_offer_that_the_caller_may_not_hear_any_more_is_forgotten() -> None:
    talk = a_talk(Place.OFFER, visited=(Place.OFFER,), intent="refund", offered=("refund",), opened=("refund",))
    talk, step = going(talk, a_caller(LINE, IGNORE))
    assert (talk.intent, talk.opened, texts(step)[0]) == ("", (), "menu")


def test_what_the_caller_chose_is_not() -> None:
    talk = a_talk(Place.MENU, visited=(Place.MENU,), intent="refund", opened=("refund",))
    talk, _ = going(talk, a_caller(LINE, IGNORE))
    assert (talk.intent, talk.opened, talk.destination) == ("refund", ("refund",), "billing")


def test_memory_is_reduced_before_anything_is_said() -> None:
    assert a_caller(LINE, CONFIRM).memory == Memory((), (MARIA.variables[2],))
