"""Briefly what `python -m tests.outage` does at length: the store is away under calls."""

from __future__ import annotations

import pytest

from tests.outage.away import WAYS
from tests.outage.drill import drill
from tests.report import Report

pytestmark = pytest.mark.slow


def outage(way: str, app: str = "tests.serving:build()") -> Report:
    return drill(WAYS[way], seconds=2.5, per_second=20, app=app)


@pytest.mark.sqlite
def test_callers_hear_something_and_what_they_did_is_applied_afterwards() -> None:
    report = outage("moved")
    assert report.faults == []
    assert int(str(report.told["events that waited"])) > 20


@pytest.mark.sqlite
def test_a_server_that_loses_what_waits_is_found() -> None:
    assert any(fault.startswith("ends lost") for fault in outage("moved", "tests.outage.seeded:forgets()").faults)


@pytest.mark.sqlite
def test_a_server_that_lets_callers_wait_for_long_is_found() -> None:
    """Other limits hold, whoever waits: what is found has to be found in spite of them."""
    found = outage("locked", "tests.outage.seeded:waits()").slow
    assert any(slow.startswith("TwiML after at most: 2.") for slow in found)
