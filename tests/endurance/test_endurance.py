"""Briefly what `python -m tests.endurance` does at length. How fast they are is for the long runs."""

from __future__ import annotations

import pytest

from tests.endurance.overload import overload
from tests.endurance.reloads import reloads

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]


def test_nobody_notices_a_reload() -> None:
    assert reloads(2, 20).faults == []


def test_a_crowd_is_told_to_come_back_and_callers_are_served() -> None:
    report = overload(2, 5, clients=400, afterwards_seconds=0)
    assert report.faults == []
    assert 503 in report.told["the crowd was answered"]  # type: ignore[operator]
