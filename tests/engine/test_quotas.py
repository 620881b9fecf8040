"""The monthly budget: when a month begins, and the hard stop at its end (semantics §4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.model import Plan, QuotaExhausted
from adapter.engine.quotas import period_start, refuse, renews_at


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "day", "start"),
    [
        pytest.param("2026-02-07T10:30", 1, "2026-02-01", id="in the month"),
        pytest.param("2026-02-01T00:00", 1, "2026-02-01", id="the first instant"),
        pytest.param("2026-01-31T23:59:59.999", 1, "2026-01-01", id="the last instant"),
        pytest.param("2026-02-07T10:30", 15, "2026-01-15", id="billing day still to come"),
        pytest.param("2026-01-07T10:30", 15, "2025-12-15", id="over the year's end"),
        pytest.param("2026-02-28T00:00", 31, "2026-02-28", id="a short month renews on its last day"),
        pytest.param("2026-02-27T23:00", 31, "2026-01-31", id="the day before"),
        pytest.param("2024-03-01T00:00", 30, "2024-02-29", id="leap year"),
    ],
)
def test_a_period_begins_on_the_billing_day_at_midnight_utc(now: str, day: int, start: str) -> None:
    assert period_start(at(now), day) == at(start)


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 31))
def test_a_period_holds_its_now_and_names_itself(now: int, day: int) -> None:
    start = period_start(now, day)
    assert start <= now < start + 32 * 86_400_000
    assert period_start(start, day) == start
    assert period_start(renews_at(now, day) - 1, day) == start
    assert period_start(renews_at(now, day), day) == renews_at(now, day) > now


@pytest.mark.parametrize(("used", "refused"), [(9, False), (10, True), (11, True)])
def test_at_zero_remaining_every_request_is_refused(used: int, refused: bool) -> None:
    assert refuse(Plan("ba_1", 10), used) == (QuotaExhausted("ba_1") if refused else None)


def test_an_unlimited_plan_never_is() -> None:
    assert refuse(Plan("ba_1", None), 10**12) is None
