"""Briefly what `python -m tests.endurance` does at length. How fast it is, is for the long runs."""

from __future__ import annotations

import pytest

from tests.endurance.overload import overload
from tests.endurance.reloads import SOCKETS_APART, reloads

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]


def test_nobody_notices_a_reload() -> None:
    assert reloads(3, 20).faults == []


def test_a_build_that_drops_who_waits_at_a_reload_is_found() -> None:
    assert any("ConnectionResetError" in fault for fault in reloads(12, 60, SOCKETS_APART).faults)


def test_a_crowd_is_told_to_come_back_and_callers_are_served() -> None:
    report = overload(3, 5, clients=400)
    assert report.faults == []
    assert 503 in report.told["the crowd was answered"]  # type: ignore[operator]
