"""Started, hung up, ended, wrapped up, in any order (semantics §6, §7, §9)."""

from __future__ import annotations

import pytest

from adapter.engine.lifecycle import CallState, call_end, duration_seconds, is_free, refuse_end, refuse_start, state
from adapter.engine.model import Call
from adapter.engine.policy import DAY, HOUR, CallPolicy

NOW = 1_770_460_200_000
POLICY = CallPolicy()
REF = "00000000-0000-4000-8000-00000000000a"


def call(started: int = NOW, **marks: int) -> Call:
    return Call("c1", started, REF, **marks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        pytest.param(None, False, id="unknown"),
        pytest.param(call(greeted_at=NOW), True, id="started"),
        pytest.param(call(ended_at=NOW), True, id="ended without a start"),
        pytest.param(call(hung_up_at=NOW), False, id="only the hang-up is known so far"),
        pytest.param(call(NOW - 30 * DAY + 1, greeted_at=NOW), True, id="almost thirty days ago"),
        pytest.param(call(NOW - 30 * DAY, greeted_at=NOW), False, id="thirty days ago"),
    ],
)
def test_a_call_id_starts_one_call_in_thirty_days(before: Call | None, refused: bool) -> None:
    conflict = refuse_start(before, NOW, POLICY)
    assert (conflict is not None) is refused
    if conflict and before:
        assert (conflict.customer_ref, conflict.call_start) == (REF, before.started_at)


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        pytest.param(None, False, id="standalone"),
        pytest.param(call(greeted_at=NOW), False, id="active"),
        pytest.param(call(ended_at=NOW), True, id="ended"),
        pytest.param(call(hung_up_at=NOW - 24 * HOUR), False, id="last moment of wrap-up"),
        pytest.param(call(hung_up_at=NOW - 24 * HOUR - 1), True, id="wrap-up over"),
        pytest.param(call(hung_up_at=NOW, ended_at=NOW), True, id="wrapped up already"),
        pytest.param(call(NOW - 30 * DAY, ended_at=NOW - 30 * DAY), False, id="an old call of that name"),
    ],
)
def test_a_call_ends_once_and_is_wrapped_up_in_time(before: Call | None, refused: bool) -> None:
    assert (refuse_end(before, NOW, POLICY) is not None) is refused


def test_a_call_is_what_was_heard_of_it_in_whatever_order() -> None:
    assert state(call()) is CallState.ACTIVE
    assert state(call(hung_up_at=NOW)) is CallState.HUNG_UP
    assert state(call(hung_up_at=NOW, ended_at=NOW)) is CallState.ENDED


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        pytest.param(call(), 0, id="it lasts"),
        pytest.param(call(ended_at=NOW + 330_999), 330, id="whole seconds"),
        pytest.param(call(ended_at=NOW + 330_000, hung_up_at=NOW + 300_000), 300, id="the caller's own leg counts"),
        pytest.param(call(hung_up_at=NOW - 5_000), 0, id="never before its start"),
    ],
)
def test_duration_runs_from_start_to_hang_up(known: Call, seconds: int) -> None:
    assert duration_seconds(known) == seconds


def test_an_unfinished_call_has_no_end() -> None:
    assert call_end(call()) is None


def test_an_unknown_call_id_is_free() -> None:
    assert is_free(None, NOW, POLICY)
