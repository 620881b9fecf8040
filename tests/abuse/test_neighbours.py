"""Briefly what `python -m tests.abuse realms|rates|histories` does at length: no organization reaches another's, nobody
gets more than their rate, and what is done at once comes out as if one after the other; and each check can fail."""

from __future__ import annotations

import pytest

from tests import databases
from tests.abuse import histories, rates, realms
from tests.abuse.linear import Operation, Told, is_linearizable

pytestmark = pytest.mark.slow
on_each_store = pytest.mark.parametrize("kind", databases.STORES)


@on_each_store
def test_nothing_of_another_realm_is_read_written_or_told_from_unknown(kind: str) -> None:
    found = realms.examine(500, 1, kind)
    assert found.faults == {}
    assert len({answer.rpartition(" ")[0] for answer in found.answers}) == 13, "every kind of attempt was made"


@pytest.mark.parametrize("bug", realms.BUGS)
def test_realms_that_are_not_kept_apart_are_found(bug: str) -> None:
    found = set(realms.examine(200, 1, bug=bug).faults)
    assert "written in another realm" in found
    assert any(kind.startswith("told from unknown") for kind in found)


@on_each_store
def test_nobody_is_admitted_more_often_than_the_hard_limit_whoever_sets_a_clock(kind: str) -> None:
    found = rates.examine(10, 1, kind)
    assert found.faults == {}
    assert found.answers["admitted"] > 100
    assert found.answers["refused"] > 100


def test_a_window_that_a_set_clock_opens_is_found() -> None:
    assert any("by the clients" in fault for fault in rates.examine(20, 1, bug=True).faults)


@on_each_store
def test_what_is_done_at_once_comes_out_as_if_one_after_the_other(kind: str) -> None:
    found = histories.examine(50, 1, kind)
    assert found.faults == {}
    assert found.told["histories in which operations overlapped"] > 0


def test_a_call_that_is_looked_up_too_early_is_found() -> None:
    assert "not linearizable" in histories.examine(50, 1, bug=True).faults


def start(asked: int, answered: int, told: Told, call: str = "a") -> Operation:
    return Operation("start", call, asked, answered, told)


def end(asked: int, answered: int, told: Told, call: str = "a") -> Operation:
    return Operation("end", call, asked, answered, told, "refund", False, ("name", "Maria"))


NEW = Told("ok", "ref", ((), ()))
KNOWN = Told("ok", "ref", ((("refund", 1),), (("name", "Maria"),)))
OK, CONFLICT = Told("ok", "ref"), Told("conflict", "ref")


@pytest.mark.parametrize(
    ("history", "could_be"),
    [
        pytest.param([start(0, 1, NEW), end(2, 3, OK), start(4, 5, KNOWN, "b")], True, id="one after the other"),
        pytest.param([start(0, 9, NEW), start(0, 9, CONFLICT)], True, id="one of two at once"),
        pytest.param([start(0, 9, NEW), start(0, 9, NEW)], False, id="both of two"),
        pytest.param([start(0, 1, CONFLICT), start(2, 3, NEW)], False, id="a conflict with the future"),
        pytest.param([start(0, 9, KNOWN, "b"), end(1, 8, OK)], True, id="seen while it was saved"),
        pytest.param([end(0, 1, OK), start(2, 3, NEW, "b")], False, id="not seen after it was saved"),
        pytest.param([end(0, 1, OK), end(2, 3, OK)], False, id="ended twice"),
        pytest.param([end(0, 1, OK), start(2, 3, CONFLICT), end(4, 5, CONFLICT)], True, id="ended before it began"),
        pytest.param([start(0, 9, NEW), start(0, 9, Told("ok", "other", ((), ())), "b")], False, id="two customers"),
    ],
)
def test_the_checker_tells_what_could_have_been(history: list[Operation], could_be: bool) -> None:
    assert is_linearizable(history) is could_be
