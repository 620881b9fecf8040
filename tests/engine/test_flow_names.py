"""Whether a caller said the stored name: accents, introductions, slips of speech recognition, lists of names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.flow.names import distance, is_said, says_something

SAID = [
    pytest.param("Maria", "Maria", "en", id="itself"),
    pytest.param("Maria Miller", "miller, maria.", "en", id="in any order, case and punctuation"),
    pytest.param("Maria Miller", "My name is Maria Miller", "en-US", id="introduced in English"),
    pytest.param("Maria Miller", "Hello, it's Maria Miller speaking.", "en-GB", id="apostrophe within an introduction"),
    pytest.param("Jürgen Groß", "Hallo, ich heiße Jurgen Gross", "de-DE", id="introduced in German, without accents"),
    pytest.param("Juergen", "Jürgen", "de", id="umlaut written out, within the tolerance"),
    pytest.param("José Núñez", "buenos días, me llamo Jose Nunez", "es-MX", id="introduced in Spanish"),
    pytest.param("Renée Lefèvre", "Bonjour, je m\u2019appelle Renee Lefevre", "fr-FR", id="introduced in French"),
    pytest.param("Łukasz Ørsted", "lukasz orsted", "en", id="letters without a base and an accent"),
    pytest.param("Sean O'Neil", "Sean O Neil", "en", id="apostrophe heard as a gap"),
    pytest.param("Jean-Luc", "jeanluc", "fr", id="hyphen not heard"),
    pytest.param("Anna", "Anne", "en", id="four letters, one slip"),
    pytest.param("Miller", "Millre", "en", id="two letters swapped are one slip"),
    pytest.param("Schneider", "Snyder Schnaidr", "de", id="eight letters and more, two slips"),
    pytest.param("Maria", "well maria", "en", id="one further word beside a name of one word"),
    pytest.param("Maria Miller", "well so maria miller", "en", id="two beside a longer name"),
    pytest.param("Yes Hello", "my name is Yes Hello", "en", id="a name made of words that introduce names"),
    pytest.param("李明", "李明", "zh", id="other scripts"),
    pytest.param("Maria Maria", "maria maria", "en", id="a word twice"),
    pytest.param("x" * 100, "x" * 100, "en", id="longer than any name, but the same"),
]

NOT_SAID = [
    pytest.param("Maria", "Marco", "en", id="two slips in five letters"),
    pytest.param("Eva", "Ava", "en", id="three letters, one slip"),
    pytest.param("Miller", "Muelle", "en", id="six letters, two slips"),
    pytest.param("Schneider", "Shnaidr", "de", id="three slips"),
    pytest.param("Maria Miller", "Maria", "en", id="half of the name"),
    pytest.param("Maria Maria", "maria", "en", id="one word is not two"),
    pytest.param("Maria", "anna julia lisa maria", "en", id="a list of names"),
    pytest.param("Maria", "my name is anna julia maria", "en", id="two further words beside a name of one word"),
    pytest.param("Maria Miller", "eva paula rosa maria miller", "en", id="three beside a longer name"),
    pytest.param("Maria Miller", "anna eva paula rosa maria miller", "en", id="a list before a full name"),
    pytest.param("", "Maria", "en", id="no name stored"),
    pytest.param("!!!", "Maria", "en", id="no word stored"),
    pytest.param("Maria", "", "en", id="nothing said"),
    pytest.param("Maria", "my name is", "en", id="only the introduction"),
    pytest.param("Maria", "paul", "en", id="somebody else"),
    pytest.param("x" * 100, "y" * 100, "en", id="longer than any name"),
]


@pytest.mark.parametrize(("name", "speech", "language"), SAID)
def test_a_name_is_heard_as_people_say_it(name: str, speech: str, language: str) -> None:
    assert is_said(name, speech, language)


@pytest.mark.parametrize(("name", "speech", "language"), NOT_SAID)
def test_another_name_is_another_name(name: str, speech: str, language: str) -> None:
    assert not is_said(name, speech, language)


@pytest.mark.parametrize(
    ("speech", "something"),
    [("my name is", False), ("Uh, yes, hello!", False), ("…", False), ("my name is Bo", True), ("Bo", True)],
)
def test_an_introduction_alone_says_nothing(speech: str, something: bool) -> None:
    assert says_something(speech, "en") is something


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("maria", "maria", 0),
        ("maria", "mara", 1),
        ("maria", "mariya", 1),
        ("maria", "marta", 1),
        ("maria", "mraia", 1),
        ("maria", "ma", 5),
        ("", "ab", 2),
        ("ab", "ba", 1),
        ("abcd", "badc", 2),
        ("x" * 41, "x" * 40, 41),
    ],
)
def test_slips_are_letters_left_out_added_changed_or_swapped(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == slips


@given(st.text(max_size=60), st.text(max_size=12), st.sampled_from(["en", "de", "es", "fr", "xx"]))
def test_any_text_is_compared(name: str, speech: str, language: str) -> None:
    assert is_said(name, speech, language) in (True, False)


@given(st.text("abcdefgh", max_size=9), st.text("abcdefgh", max_size=9))
def test_the_distance_is_the_same_both_ways_and_zero_only_for_the_same(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)


def test_megabytes_of_speech_cost_no_more_than_a_sentence() -> None:
    assert not is_said("Maria", "maria " * 200_000, "en")
