"""The app does what its own description says: briefly here, at length by `python -m tests.conformance`."""

from __future__ import annotations

import pytest

from tests.conformance.described import Findings, examine


def found(cases: int) -> Findings:
    *_, findings = examine(cases, seed=1)
    return findings


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_every_answer_is_as_described() -> None:
    findings = found(300)
    assert findings.cases >= 300
    assert {200, 400, 401, 404, 405, 409} <= set(findings.answers)
    assert findings.failures == {}
    assert findings.errors == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_answer_that_is_not_as_described_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: health tells something else than it says it does."""
    monkeypatch.setattr("adapter.web.rest.health.health", lambda *_: {"status": "so so"})
    *_, findings = examine(1, seed=1, phases=["fuzzing"])
    assert [name for name in findings.failures if "response_schema_conformance" in name]
