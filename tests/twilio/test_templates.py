"""Operators' texts are judged before anybody calls, in words that say what to write instead."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from adapter.twilio import texts
from adapter.twilio.templates import FACTS, MAY_MENTION_VARIABLES, TextFailed, compiled, problem


@pytest.mark.parametrize(
    ("name", "template", "says"),
    [
        ("reuse", "Hello{% if name %}, {{ name|title }}{% endif %}.", None),
        ("reuse", "{{ intent if intent is defined else 'x' }}", None),
        ("reuse", "{{ attempt_count }}" + "x" * 1_981, None),
        ("reuse", "x" * 2_001, "is longer than 2000 characters"),
        ("reuse", "{{ nam }}", 'uses "nam", which is not known when this text is spoken; it may use attempt_count'),
        ("confirm", "{{ name }}", "only offer, reuse, verified, welcome_back, whisper may mention what is remembered"),
        ("menu", "{{ name }}", "it may use speech"),
        ("reuse", "{{ name|center(9) }}", 'uses the filter "center"; the filters here are capitalize, default'),
        ("reuse", "{{ 1 is foo }}", 'uses an unknown test "foo"; leave it out'),
        ("reuse", "{% for x in name %}{% endfor %}", "uses for, but a text may only print and branch; leave it out"),
        ("reuse", "{{ 9 ** 9 ** 9 ** 9 }}", "uses pow, but a text may only print and branch"),
        ("reuse", "{% include 'a' %}", "uses include, but a text may only print"),
        ("reuse", "a\n{% if %}", "is not a valid Jinja text: Expected an expression"),
        ("reuse", "a\n{% if %}", "(line 2 of the text)"),
        ("reuse", "{{ " + "9" * 1_990 + " }}", None),
        ("menu", "{{ " + "not " * 46 + "speech }}", None),
        ("menu", "{{ " + "not " * 300 + "speech }}", "is not a valid Jinja text (too deeply nested"),
        ("ask_language", "{%if key%}" * 104 + "{%endif%}" * 104, "is not a valid Jinja text (too deeply nested"),
        ("reuse", "{{ " + "(" * 990 + "1" + ")" * 990 + " }}", "is not a valid Jinja text (too deeply nested"),
    ],
)
def test_a_text_is_judged_and_refused_by_one_rule(name: str, template: str, says: str | None) -> None:
    found = problem(name, template)
    assert (found is None) if says is None else (says in str(found))
    with nullcontext() if says is None else pytest.raises(TextFailed):
        compiled(name, template)


@pytest.mark.parametrize(
    ("name", "template", "says"),
    [
        ("reuse", "{% if attempt_count > 2 %}x{% endif %}", "where attempt_count is not known: '>' not supported"),
        ("reuse", "{% if name and attempt_count > 2 %}x{% endif %}", "ask first, as in {% if attempt_count and"),
        ("reuse", "{% if intent and attempt_count > 2 %}x{% endif %}", None),
        ("reuse", "{% if attempt_count and attempt_count > 2 %}x{% endif %}", None),
        ("reuse", "{% if not name and intent < 'x' %}x{% endif %}", "where intent, name is not known"),
        ("reuse", "{% if attempt_count > '2' %}x{% endif %}", "cannot be spoken: '>' not supported"),
        ("reuse", "{% if intent == 'refund' and name > 1 %}x{% endif %}", "cannot be spoken"),
        ("reuse", "{% if attempt_count == 7 and name > 1 %}x{% endif %}", "cannot be spoken"),
        ("whisper", "{% if recommendation == 'reuse' and plan < 'b' %}x{% endif %}", "where plan is not known"),
        ("ask_digits", "{% if count > 4 %}x{% endif %}", None),
        ("ask_account", "{% if length > 4 %}x{% endif %}", "where length is not known"),
        ("reuse", "{{ name is sameas }}", "missing 1 required positional argument"),
        ("reuse", "{{ attempt_count is divisibleby 0 }}", "cannot be spoken: integer modulo by zero"),
        ("reuse", "{{ name|upper(1) }}", 'gives the filter "upper" too much or too little'),
        ("reuse", "{{ name|default }}", 'gives the filter "default" too much or too little'),
        ("reuse", "{{ name|default('x', true) }}", 'gives the filter "default" too much or too little'),
    ],
)
def test_a_text_that_some_callers_could_not_be_told_is_refused(name: str, template: str, says: str | None) -> None:
    found = problem(name, template, ["plan"])
    assert (found is None) if says is None else (says in str(found))


@pytest.mark.parametrize("name", sorted(FACTS))
def test_only_texts_that_mention_what_is_remembered_know_declared_variables(name: str) -> None:
    assert problem(name, "{{ plan }}") is not None
    assert (problem(name, "{{ plan }}", ["plan"]) is None) is (name in MAY_MENTION_VARIABLES)
    assert 'uses "tier"' in str(problem(name, "{{ tier }}", ["plan"]))


def test_a_declared_variable_is_named_among_what_may_be_used() -> None:
    assert "it may use name, plan" in str(problem("verified", "{{ tier }}", ["plan"]))


def test_the_built_in_texts_are_fit(subtests: pytest.Subtests) -> None:
    for language, own in texts.BUILT_IN.items():
        for name, template in own.items():
            with subtests.test(language=language, text=name):
                assert problem(name, template) is None
