"""The whole API and the voice webhooks against a naive model: short here, long by `python -m tests.model`."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.drive import Difference, Drive
from tests.model.machine import Machine

SHORT = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
# Looking for a planted bug needs no smallest example.
FINDING = settings(SHORT, phases=(Phase.generate,), derandomize=True, max_examples=300)
ANI = "+14155550123"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of requests that are refused on purpose: their warnings would only be kept in memory."""
    caplog.set_level(logging.CRITICAL, "adapter")


@pytest.mark.stores
def test_the_product_answers_like_the_naive_model() -> None:
    run_state_machine_as_test(Machine, settings=SHORT)


@pytest.mark.parametrize(
    ("where", "planted"),
    [
        ("adapter.engine.confidence.line_weight", lambda *_: 0.45),
        ("adapter.engine.intents._attempts", lambda *_: 1),
        ("adapter.engine.variables.SECOND", 1),
        ("adapter.engine.quotas.refuse", lambda *_: None),
        ("adapter.store.customers.doubt", lambda *_: None),
        ("adapter.engine.identity._is_another_person", lambda *_: False),
        ("adapter.engine.identity._may_link_ani", lambda case, *_: case.hints.ani is not None),
        ("adapter.engine.evidence._is_shared", lambda *_: False),
    ],
    ids=["a weight", "attempts", "short lives", "no quota", "no doubt", "strangers", "eager links", "shared ids"],
)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, where: str, planted: object) -> None:
    """The positive control: a machine that cannot fail proves nothing."""
    monkeypatch.setattr(where, planted)
    with pytest.raises(Difference):
        run_state_machine_as_test(Machine, settings=FINDING)


@pytest.mark.stores
def test_a_call_is_rejected_after_another_saw_its_customer() -> None:
    """Found by the long run: a contact in the millisecond of a verdict was taken for the call's own, and undone."""
    machine = Machine()
    machine.settle("globex-prod")
    machine.an_id_is_passed_around({"customer_id": "a"}, 0, 3, None)
    machine.wait(1)
    machine.verdict("home", 1, "confirmed")
    machine.end_with_evidence("home", 0, 1, {}, "r", None, {"intent_updates": []}, None)
    machine.verdict("home", 1, "rejected")
    machine.teardown()


def test_the_comparison_binds_customers_once() -> None:
    drive = Drive()
    drive.start("globex-prod", "call-1", {"ani": ANI}, "mobile")
    drive.start("globex-prod", "call-2", {"ani": ANI}, "mobile")
    assert len(drive.names) == 1
    drive.names[next(iter(drive.names))] = "somebody else"
    with pytest.raises(Difference):
        drive.start("globex-prod", "call-3", {"ani": ANI}, "mobile")
    drive.close()
