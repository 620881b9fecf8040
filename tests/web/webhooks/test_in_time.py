"""Work with a deadline: done by somebody else, and left alone when it takes too long."""

from __future__ import annotations

import threading
import time

import pytest

from adapter.web import arrival
from adapter.web.webhooks.in_time import Deadline, TooLate


def test_what_is_done_in_time_comes_back_as_it_is() -> None:
    in_time = Deadline(60, 1).begins()
    assert in_time.do(lambda: "done") == "done"
    assert in_time.do_at_last(lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        in_time.do(lambda: 1 // 0)


def test_what_hangs_is_left_alone_and_the_next_is_done_by_somebody_else() -> None:
    deadline, over = Deadline(0.3, 1), threading.Event()
    began = time.monotonic()
    in_time = deadline.begins()
    with pytest.raises(TooLate, match="not done in time"):
        in_time.do(lambda: over.wait(30))
    assert in_time.do_at_last(lambda: "kept") == "kept"
    assert time.monotonic() - began < 2
    over.set()


def test_the_last_part_of_the_time_is_there_although_the_rest_is_used_up() -> None:
    in_time, over = Deadline(0.6, 1).begins(), threading.Event()
    with pytest.raises(TooLate):
        in_time.do(lambda: over.wait(30))
    with pytest.raises(TooLate):
        in_time.do_at_last(lambda: over.wait(30))
    over.set()


def test_when_everybody_who_could_do_it_hangs_it_is_told_at_once() -> None:
    deadline, over = Deadline(0.1, 1), threading.Event()
    for _ in range(4):
        with pytest.raises(TooLate, match="not done in time"):
            deadline.begins().do(lambda: over.wait(30))
    with pytest.raises(TooLate, match="all threads that could do it hang"):
        deadline.begins().do(lambda: "nobody")
    over.set()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            assert deadline.begins().do(lambda: "somebody") == "somebody"
            break
        except TooLate:
            continue
    else:
        pytest.fail("nobody came back")


def test_threads_are_used_again() -> None:
    deadline = Deadline(60, 8)
    names = {deadline.begins().do(threading.get_ident) for _ in range(50)}
    assert len(names) < 5


@pytest.mark.parametrize(("waited", "late"), [(0.0, False), (0.49, False), (0.51, True), (5.0, True)])
def test_who_has_waited_for_a_thread_does_not_wait_for_the_store_too(waited: float, late: bool) -> None:
    arrival.note_wait(waited)
    in_time = Deadline(3.0, 1).begins()
    arrival.note_wait(0.0)
    if late:
        with pytest.raises(TooLate, match="no thread was free in time"):
            in_time.do(lambda: "done")
        assert in_time.do_at_last(lambda: "kept") == "kept"
    else:
        assert in_time.do(lambda: "done") == "done"


def test_what_fails_too_late_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    over = threading.Event()

    def fails() -> None:
        over.wait(30)
        raise ZeroDivisionError("+14155550123")

    with pytest.raises(TooLate):
        Deadline(0.1, 1).begins().do(fails)
    over.set()
    until = time.monotonic() + 10
    while not caplog.records and time.monotonic() < until:
        time.sleep(0.001)
    assert [record.getMessage() for record in caplog.records] == ["what came too late failed, too: ZeroDivisionError"]


@pytest.mark.parametrize("keeps_deadlines", [True, False])
def test_a_store_that_keeps_deadlines_needs_nobody_elses_thread(keeps_deadlines: bool) -> None:
    in_time = Deadline(60, 1, keeps_deadlines).begins()
    assert (in_time.transact(threading.get_ident) == threading.get_ident()) is keeps_deadlines
    assert in_time.do(threading.get_ident) != threading.get_ident()


def test_who_has_waited_for_a_thread_does_not_wait_for_such_a_store_either() -> None:
    arrival.note_wait(0.51)
    in_time = Deadline(3.0, 1, keeps_deadlines=True).begins()
    arrival.note_wait(0.0)
    with pytest.raises(TooLate, match="no thread was free in time"):
        in_time.transact(lambda: "done")
