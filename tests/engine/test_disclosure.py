"""Who may hear what: classes by recommendation and verification, and secrets that nobody hears."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.disclosure import disclosed, entitled, secrets
from adapter.engine.flow import known
from adapter.engine.line import Confirm, Disclosure, DisclosureRules, ProofKind
from adapter.engine.model import Identity, Level, Memory, Recommendation
from tests.builders import a_line
from tests.engine.talks import BY_DIGITS, BY_NAME, BY_PIN, CONFIRM, IGNORE, LANGUAGES, REUSE, a_memory, an_intent

PUBLIC, PERSONAL, SENSITIVE = Disclosure
RULES = DisclosureRules(
    {"city": PUBLIC, "name": PERSONAL, "iban": SENSITIVE},
    {"opening_hours": PUBLIC, "refund": PERSONAL, "debt": SENSITIVE},
)
MEMORY = a_memory(
    *(an_intent(name) for name in ("opening_hours", "refund", "debt", "unnamed")),
    city="Bonn",
    name="Maria",
    iban="DE02",
    unnamed="38",
)


@pytest.mark.parametrize(
    ("recommendation", "verified", "classes"),
    [
        (IGNORE, False, set()),
        (CONFIRM, False, {PUBLIC}),
        (REUSE, False, {PUBLIC, PERSONAL}),
        (REUSE, True, {PUBLIC, PERSONAL, SENSITIVE}),
        (CONFIRM, True, {PUBLIC, PERSONAL, SENSITIVE}),
        (IGNORE, True, {PUBLIC, PERSONAL, SENSITIVE}),
    ],
)
def test_callers_are_entitled_to_classes(
    recommendation: Recommendation, verified: bool, classes: set[Disclosure]
) -> None:
    assert entitled(recommendation, verified) == classes


@pytest.mark.parametrize(
    ("classes", "intents", "variables"),
    [
        ({PUBLIC}, ["opening_hours"], ["city"]),
        ({PUBLIC, PERSONAL}, ["opening_hours", "refund", "unnamed"], ["city", "name", "unnamed"]),
        (set(Disclosure), ["opening_hours", "refund", "debt", "unnamed"], ["city", "name", "iban", "unnamed"]),
        ({SENSITIVE}, ["debt"], ["iban"]),
        (set(), [], []),
    ],
)
def test_memory_is_reduced_to_the_classes_in_its_order(
    classes: set[Disclosure], intents: list[str], variables: list[str]
) -> None:
    reduced = disclosed(MEMORY, RULES, classes)
    assert [each.intent for each in reduced.open_intents] == intents
    assert [each.name for each in reduced.variables] == variables


def test_a_secret_is_heard_by_nobody_whatever_its_class() -> None:
    rules = DisclosureRules({"city": PUBLIC})
    assert disclosed(MEMORY, rules, set(Disclosure), ("city", "iban")).variables == (
        MEMORY.variables[1],
        MEMORY.variables[3],
    )


@pytest.mark.parametrize(
    ("confirm", "names"),
    [
        (None, ()),
        (BY_PIN, ("pin",)),
        (Confirm(ProofKind.DIGITS, variable="iban"), ("iban",)),
        (BY_DIGITS, ()),
        (BY_NAME, ("name",)),
    ],
)
def test_the_secrets_of_a_line_are_what_callers_prove_themselves_with(confirm: Any, names: tuple[str, ...]) -> None:
    assert secrets(a_line(confirm=confirm)) == names


@pytest.mark.parametrize(
    ("recommendation", "always", "verified", "told"),
    [
        (CONFIRM, False, False, False),
        (CONFIRM, False, True, True),
        (REUSE, False, False, True),
        (REUSE, True, False, False),
        (REUSE, True, True, True),
    ],
)
@pytest.mark.parametrize("rule", [PUBLIC, PERSONAL])
def test_a_name_that_is_asked_for_is_told_to_nobody_before_it_was_said(
    recommendation: Recommendation, always: bool, verified: bool, told: bool, rule: Disclosure
) -> None:
    line = a_line(confirm=replace(BY_NAME, always=always), disclosure=DisclosureRules({"name": rule}))
    who = known(line, "call", "ref", Identity(0.5, Level.MEDIUM, (), recommendation), verified, a_memory(name="Maria"))
    assert bool(who.memory.variables) is told


@pytest.mark.parametrize(
    ("recommendation", "always", "verified", "variables"),
    [
        (REUSE, False, False, ["city", "name", "unnamed"]),
        (REUSE, True, False, ["city"]),
        (REUSE, True, True, ["city", "name", "iban", "unnamed"]),
        (CONFIRM, True, False, ["city"]),
        (IGNORE, True, False, []),
    ],
)
def test_where_everybody_is_verified_silence_buys_nothing(
    recommendation: Recommendation, always: bool, verified: bool, variables: list[str]
) -> None:
    line = a_line(confirm=replace(BY_PIN, always=always), disclosure=RULES)
    who = known(line, "call", "ref", Identity(0.9, Level.VERY_HIGH, (), recommendation), verified, MEMORY)
    assert [each.name for each in who.memory.variables] == variables
    assert who.recommendation is recommendation


@given(st.sets(st.sampled_from(Disclosure)), st.sets(st.sampled_from(["city", "name", "iban", "unnamed"])))
def test_nothing_is_added_and_reducing_twice_is_reducing_once(classes: set[Disclosure], names: set[str]) -> None:
    once = disclosed(MEMORY, RULES, classes, names)
    assert disclosed(once, RULES, classes, names) == once
    assert set(once.open_intents) <= set(MEMORY.open_intents)
    assert not names & {each.name for each in once.variables}


def test_of_nothing_there_is_nothing() -> None:
    assert disclosed(Memory(), RULES, set(Disclosure)) == Memory()


@pytest.mark.parametrize(
    ("recommendation", "rules", "heard"),
    [
        (CONFIRM, {}, True),
        (REUSE, {}, True),
        (IGNORE, {}, False),
        (CONFIRM, {"language": PERSONAL}, False),
        (CONFIRM, {"language": PUBLIC}, True),
    ],
)
def test_the_language_of_whoever_was_found_is_public_unless_the_rules_say_otherwise(
    recommendation: Recommendation, rules: Any, heard: bool
) -> None:
    line = a_line(languages=LANGUAGES, disclosure=DisclosureRules(rules))
    who = known(line, "call", "ref", Identity(0.4, Level.MEDIUM, (), recommendation), False, a_memory(language="de-DE"))
    assert bool(who.memory.variables) is heard


def test_on_a_line_of_one_language_a_variable_of_that_name_is_like_any_other() -> None:
    identity = Identity(0.4, Level.MEDIUM, (), CONFIRM)
    assert known(a_line(), "call", "ref", identity, False, a_memory(language="de-DE")).memory == Memory()
