"""From how many wrong answers on nobody is asked any more, and until when."""

from __future__ import annotations

import pytest

from adapter.engine.line import Confirm
from adapter.engine.lockout import WrongAnswers, is_locked, one_more
from adapter.engine.policy import HOUR

RULES = Confirm(lockout_failures=3, lockout_hours=24)
DAY_LATER = 24 * HOUR


def given(*times: int) -> WrongAnswers | None:
    counted = None
    for at in times:
        counted = one_more(counted, RULES, at)
    return counted


def locked_at(counted: WrongAnswers | None, now: int) -> bool:
    return is_locked([counted] if counted else [], RULES, now)


@pytest.mark.parametrize(("times", "locks"), [((), False), ((0,), False), ((0, 1), False), ((0, 1, 2), True)])
def test_as_many_as_allowed_lock(times: tuple[int, ...], locks: bool) -> None:
    assert locked_at(given(*times), 3) is locks


def test_a_lock_lasts_for_its_hours_from_the_last_answer() -> None:
    counted = given(0, HOUR, 2 * HOUR)
    assert locked_at(counted, 2 * HOUR + DAY_LATER - 1)
    assert not locked_at(counted, 2 * HOUR + DAY_LATER)


def test_after_a_lock_counting_begins_anew() -> None:
    counted = one_more(given(0, 0, 0), RULES, DAY_LATER)
    assert counted == WrongAnswers(1, 2 * DAY_LATER)


@pytest.mark.parametrize(("third", "locks"), [(DAY_LATER - 1, True), (DAY_LATER, False)])
def test_only_answers_within_the_hours_of_the_first_count_together(third: int, locks: bool) -> None:
    assert locked_at(given(0, 1, third), third) is locks


def test_a_line_that_allows_more_is_not_locked_by_one_that_allows_less() -> None:
    assert not is_locked([WrongAnswers(3, 10)], Confirm(lockout_failures=4), 0)


def test_the_number_or_the_customer_is_enough() -> None:
    assert is_locked([WrongAnswers(1, 10), WrongAnswers(3, 10)], RULES, 0)
