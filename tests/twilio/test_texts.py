"""What the built-in texts say, what an operator's may, and what never gets into either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.flow import Fact
from adapter.twilio.templates import FACTS, LONGEST_TEMPLATE, TextFailed, problem
from adapter.twilio.texts import BUILT_IN, LONGEST_TEXT, Texts, plain, shortened

JOHN: dict[str, Fact] = {"name": "John Doe", "intent": "refund request", "attempt_count": 2}
NOBODY: dict[str, Fact] = {"name": None, "intent": None, "attempt_count": None}


def test_a_known_caller_is_welcomed_back_by_name_and_told_what_is_open() -> None:
    said = Texts().compose("reuse", "en-US", JOHN)
    assert said.startswith("Welcome back, John Doe.")
    assert "refund request" in said


@pytest.mark.parametrize("language", BUILT_IN)
def test_every_language_has_every_text(language: str) -> None:
    assert set(BUILT_IN[language]) == set(FACTS)
    assert {problem(name, text) for name, text in BUILT_IN[language].items()} == {None}


@pytest.mark.parametrize("language", BUILT_IN)
def test_reuse_mentions_what_is_known_and_skips_what_is_not(language: str) -> None:
    everything, nothing = Texts().compose("reuse", language, JOHN), Texts().compose("reuse", language, NOBODY)
    assert "John Doe" in everything
    assert "refund request" in everything
    for rest in ("None", ", .", " ,", " .", "  "):
        assert rest not in nothing


@pytest.mark.parametrize("language", BUILT_IN)
@pytest.mark.parametrize("name", sorted(name for name, facts in FACTS.items() if not facts))
def test_no_other_text_gives_anything_away(language: str, name: str) -> None:
    said = Texts().compose(name, language, JOHN)
    assert said == Texts().compose(name, language, {})
    assert "John" not in said
    assert "refund" not in said


@pytest.mark.parametrize(
    ("language", "base"),
    [("de-AT", "de"), ("DE_ch", "de"), ("de", "de"), ("fr-CA", "fr"), ("en-GB", "en"), ("it", "en"), ("", "en")],
)
def test_a_language_falls_back_to_its_base_and_then_to_english(language: str, base: str) -> None:
    assert Texts().compose("ignore", language, {}) == BUILT_IN[base]["ignore"]


def test_an_operators_text_stands_in_for_the_built_in_one() -> None:
    texts = Texts({"en": {"neutral": "Hi."}, "de-AT": {"neutral": "Servus."}, "it": {"neutral": "Ciao."}})
    assert texts.compose("neutral", "en-US", {}) == "Hi."
    assert texts.compose("neutral", "de-AT", {}) == "Servus."
    assert texts.compose("neutral", "de-DE", {}) == BUILT_IN["de"]["neutral"]
    assert texts.compose("neutral", "it-IT", {}) == "Ciao."
    assert texts.compose("ignore", "de-AT", {}) == BUILT_IN["de"]["ignore"]
    assert texts.compose("ignore", "it-IT", {}) == BUILT_IN["en"]["ignore"]


def test_a_lines_own_text_comes_before_all_others() -> None:
    texts = Texts({"en": {"neutral": "Hi."}})
    assert texts.compose("neutral", "en", {}, {"neutral": "Front desk."}) == "Front desk."
    assert texts.compose("ignore", "en", {}, {"neutral": "Front desk."}) == BUILT_IN["en"]["ignore"]


@pytest.mark.parametrize(
    ("template", "facts", "said"),
    [
        ("Hi {{ name }}!", JOHN, "Hi John Doe!"),
        ("Hi {{ name }}!", NOBODY, "Hi !"),
        ("Hi {{ name | title }}!", NOBODY, "Hi !"),
        ("Hi {{ name | upper }}!", JOHN, "Hi JOHN DOE!"),
        ("Hi {{ name | lower }}!", JOHN, "Hi john doe!"),
        ("Hi {{ name or 'you' }}!", NOBODY, "Hi you!"),
        ("Hi {{ name | default('you') }}!", NOBODY, "Hi you!"),
        ("Hi {{ name | default('you') }}!", JOHN, "Hi John Doe!"),
        ("{% if attempt_count and attempt_count > 1 %}Again{% else %}Once{% endif %}", JOHN, "Again"),
        ("{% if attempt_count and attempt_count > 1 %}Again{% else %}Once{% endif %}", NOBODY, "Once"),
        ("{{ intent if intent is not none else 'nothing' }}", NOBODY, "nothing"),
        ("{{ attempt_count }} & <b>", JOHN, "2 & <b>"),
        ("", JOHN, ""),
    ],
)
def test_a_template_prints_and_branches(template: str, facts: dict[str, Fact], said: str) -> None:
    assert problem("reuse", template) is None
    assert Texts({"en": {"reuse": template}}).compose("reuse", "en", facts) == said


@pytest.mark.parametrize(
    "template",
    [
        "{{ name",
        "{% if name %}",
        "{{ nobody }}",
        "{% for i in range(9) %}x{% endfor %}",
        "{{ name.__class__ }}",
        "{{ name['x'] }}",
        "{{ name() }}",
        "{{ range(10) }}",
        "{{ 'a' * 10000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ name ~ name }}",
        "{% set x = 1 %}{{ x }}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% extends 'x' %}",
        "{% block b %}{% endblock %}",
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{{ name | replace('a', 'aaaaaaaa') }}",
        "{{ name | attr('x') }}",
        "{{ name | center(100000) }}",
        "{{ self }}",
        "{{ name is unknowntest }}",
        "(" * 1_000 + "{{ " + "(" * 900 + "name" + ")" * 900 + " }}",
        "x" * (LONGEST_TEMPLATE + 1),
    ],
)
def test_a_template_does_nothing_else(template: str) -> None:
    assert problem("reuse", template)
    with pytest.raises(TextFailed):
        Texts({"en": {"reuse": template}}).compose("reuse", "en", JOHN)


@pytest.mark.parametrize("name", ["confirm", "ignore", "neutral"])
def test_a_template_cannot_mention_what_its_text_must_not_say(name: str) -> None:
    assert "may mention what is remembered" in str(problem(name, "Hi {{ name }}, your {{ intent }}"))
    with pytest.raises(TextFailed):
        Texts({"en": {name: "Hi {{ name }}"}}).compose(name, "en", JOHN)


def test_a_text_nobody_asks_for_is_a_problem() -> None:
    assert str(problem("reuze", "Hi")).startswith("is no text; there are again, ask_account, ask_digits")


def test_a_text_that_is_nowhere_fails() -> None:
    with pytest.raises(TextFailed, match="no such text"):
        Texts().compose("farewell", "en", {})


def test_a_fact_that_the_step_does_not_have_fails() -> None:
    with pytest.raises(TextFailed, match="UndefinedError"):
        Texts({"en": {"reuse": "{{ name }}"}}).compose("reuse", "en", {})


def test_a_declared_variable_can_be_mentioned_where_the_step_carries_it() -> None:
    texts = Texts({"en": {"verified": "{% if plan %}{{ plan }}{% endif %}", "goodbye": "{{ plan }}"}})
    assert texts.compose("verified", "en", {"name": None, "plan": "gold"}) == "gold"
    assert texts.compose("verified", "en", {"name": None, "plan": None}) == ""
    with pytest.raises(TextFailed):
        texts.compose("verified", "en", {"name": None})
    with pytest.raises(TextFailed):
        texts.compose("goodbye", "en", {"plan": "gold"})


def test_a_template_that_fails_only_when_spoken_shows_no_value() -> None:
    texts = Texts({"en": {"reuse": "{% if name > 1 %}x{% endif %}"}})
    with pytest.raises(TextFailed) as failed:
        texts.compose("reuse", "en", JOHN)
    assert str(failed.value) == "TypeError"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("  John\t\n Doe  ", "John Doe"),
        ("Jo\x00hn\x0b \ud800Doe\ufffe\uffff", "John Doe"),
        ("\x00 \u2003", ""),
        ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}"),
        ("😀", "😀"),
        ("Smith & <Sons>", "Smith & <Sons>"),
        ("x" * 129, "x" * 128),
        ("word " * 100, ("word " * 25).strip()),
    ],
)
def test_a_value_is_cleaned_and_bounded_and_never_read_as_a_template(value: str, said: str) -> None:
    assert Texts({"en": {"reuse": "<{{ name }}>"}}).compose("reuse", "en", {"name": value}) == f"<{said}>"


@pytest.mark.parametrize("value", [object(), b"x", 1.5, ["x"]])
def test_a_value_that_is_neither_words_nor_a_number_is_unknown(value: object) -> None:
    said = Texts().compose("reuse", "en", {**JOHN, "name": value})  # type: ignore[dict-item]
    assert said.startswith("Welcome back.")


def test_a_greeting_is_cut_after_a_word() -> None:
    said = Texts({"en": {"neutral": "word " * 300}}).compose("neutral", "en", {})
    assert len(said) <= LONGEST_TEXT < 500
    assert said.endswith("word")


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("a b c", 5, "a b c"),
        ("a b c", 4, "a b"),
        ("a bcd", 3, "a"),
        ("abcd", 3, "abc"),
        ("", 3, ""),
        ("ab cd", 2, "ab"),
    ],
)
def test_cutting_keeps_whole_words_where_it_can(text: str, limit: int, cut: str) -> None:
    assert shortened(text, limit) == cut


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_is_plain_and_short(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert len(cut) <= limit
    assert plain(cut) == cut
