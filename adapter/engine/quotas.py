"""The monthly budget of a billing account (semantics §4; reference, Monthly Quota System).

Renewal is no event: a month is named by its first instant, and a new month simply has nothing used yet. So it is
idempotent, and a worker that slept over midnight renews like any other. Leaves out: counting (`store.meters`).
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from .model import Millis, Plan, QuotaExhausted


def period_start(now: Millis, billing_day: int) -> Millis:
    """The latest billing day's midnight (UTC) at or before `now`; day 31 means the last day of a shorter month."""
    today = datetime.fromtimestamp(now / 1000, UTC)
    start = _billing_midnight(today.year, today.month, billing_day)
    if start > now:
        year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
        start = _billing_midnight(year, month, billing_day)
    return start


def renews_at(now: Millis, billing_day: int) -> Millis:
    """The first billing day's midnight (UTC) after `now`."""
    began = datetime.fromtimestamp(period_start(now, billing_day) / 1000, UTC)
    year, month = (began.year, began.month + 1) if began.month < 12 else (began.year + 1, 1)
    return _billing_midnight(year, month, billing_day)


def refuse(plan: Plan, used: int) -> QuotaExhausted | None:
    """No grace: at 0 remaining every billable request is refused."""
    if plan.monthly is None or used < plan.monthly:
        return None
    return QuotaExhausted(plan.billing_account_id)


def _billing_midnight(year: int, month: int, billing_day: int) -> Millis:
    day = min(billing_day, calendar.monthrange(year, month)[1])
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
