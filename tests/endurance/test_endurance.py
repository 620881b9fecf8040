"""Briefly what `python -m tests.endurance` does at length. How fast they are is for the long runs."""

from __future__ import annotations

import pytest

from tests.endurance.overload import overload
from tests.endurance.reloads import reloads

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]


def test_nobody_notices_a_reload() -> None:
    assert reloads(2, 20).faults == []


def test_next_to_a_crowd_callers_are_served_and_nothing_breaks() -> None:
    assert overload(2, 5, clients=400, afterwards_seconds=0).faults == []
