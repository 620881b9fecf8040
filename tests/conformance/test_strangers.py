"""No stranger's word becomes more than a word.

Briefly here, at length by `python -m tests.conformance --strings 100000`.
"""

from __future__ import annotations

import sys

import pytest
from jinja2 import Environment, TemplateError

from adapter.twilio import texts
from tests.conformance import strangers
from tests.conformance.strangers import Findings, examine


def found(strings: int) -> Findings:
    *_, findings = examine(strings, seed=1)
    return findings


def test_no_strangers_word_becomes_more_than_a_word() -> None:
    findings = found(3_000)
    assert findings.strings >= 3_000
    assert findings.documents > 1_000
    assert findings.failures == {}


def test_a_word_that_breaks_the_document_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: nothing is taken out of what is said."""
    monkeypatch.setattr(texts, "plain", lambda text: text)
    monkeypatch.setattr(texts, "shortened", lambda text, limit: text)
    assert any("well-formed" in failure for failure in found(500).failures)


def test_a_word_that_is_executed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: what was rendered is rendered again."""
    render, again = texts._render, Environment()

    def twice(*given: object) -> str:
        once = render(*given)  # type: ignore[arg-type]
        try:
            return again.from_string(once).render()
        except TemplateError:
            return once

    monkeypatch.setattr(strangers, "some_hostile", lambda chance: "{{ 7 * 7 }}")
    monkeypatch.setattr(texts, "_render", twice)
    assert "a template was executed" in found(200).failures


def test_what_somebody_may_not_hear_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: the memory is not reduced."""
    monkeypatch.setattr(sys.modules["adapter.engine.flow.known"], "disclosed", lambda memory, *_: memory)
    assert "told to somebody who may not hear it" in found(500).failures
