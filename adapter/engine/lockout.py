"""Too many wrong answers: from when on a number, or a customer, is not asked any more, and until when.

A secret of a few digits is safe only as long as few can be tried. Counted are a number's wrong answers, and those
about a customer: whoever hides their number, or calls from many, could otherwise try all of a PIN. Leaves out: what a
wrong answer is (`flow`), and counting (`store.lockouts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .line import Confirm
from .model import Millis
from .policy import HOUR


@dataclass(frozen=True, slots=True)
class WrongAnswers:
    """How many were given in a row of hours, and until when they count."""

    count: int
    until: Millis


def one_more(before: WrongAnswers | None, rules: Confirm, now: Millis) -> WrongAnswers:
    """`lockout_failures` within `lockout_hours` of the first wrong answer lock, for as long again from the last."""
    hours = rules.lockout_hours * HOUR
    if before is None or before.until <= now:
        return WrongAnswers(1, now + hours)
    count = before.count + 1
    return WrongAnswers(count, now + hours if count >= rules.lockout_failures else before.until)


def is_locked(counted: Iterable[WrongAnswers], rules: Confirm, now: Millis) -> bool:
    """Whether one of these is enough to ask nobody for a proof now."""
    return any(each.count >= rules.lockout_failures and each.until > now for each in counted)
