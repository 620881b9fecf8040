"""The write lock: in the order of asking, fair among processes, given up in time, never left behind."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapter.errors import StoreUnavailable
from adapter.store.sqlite import writelock
from adapter.store.sqlite.writelock import WriteLock


@pytest.fixture
def lock(tmp_path: Path) -> WriteLock:
    return WriteLock(tmp_path / "db.lock", 5.0)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[WriteLock]:
    """Another open file of the same name, as another process has: flock keeps the two apart."""
    other = WriteLock(tmp_path / "db.lock", 0.05)
    yield other
    other.abandon()


def until(condition: Callable[[], bool], at_most_seconds: float = 5.0) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + at_most_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0)
    return True


def waiting(lock: WriteLock, number: int) -> None:
    """Until that many threads stand in line."""
    assert until(lambda: len(lock._waiting) == number)


def test_threads_get_their_turn_in_the_order_of_asking(lock: WriteLock) -> None:
    order: list[int] = []

    def work(number: int) -> None:
        with lock.held():
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with lock.held():
        for number, thread in enumerate(threads):
            thread.start()
            waiting(lock, number + 1)
    for thread in threads:
        thread.join()
    assert order == list(range(6))


def test_only_one_is_inside(lock: WriteLock) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with lock.held():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_who_waits_too_long_leaves_the_line_and_the_lock_works_on(lock: WriteLock) -> None:
    told: list[str] = []

    def late() -> None:
        try:
            lock.acquire(0.01)
        except StoreUnavailable as error:
            told.append(error.message)

    with lock.held():
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert told == ["the database is busy: no turn to write within the time limit"]
    with lock.held():
        assert not lock._waiting


def test_another_process_keeps_us_out_until_it_lets_go(lock: WriteLock, elsewhere: WriteLock) -> None:
    with lock.held(), pytest.raises(StoreUnavailable, match="another process"):
        elsewhere.acquire()
    with elsewhere.held(), pytest.raises(StoreUnavailable, match="another process"):
        lock.acquire(0.01)
    with lock.held():
        pass


def test_a_short_wait_for_another_process_succeeds(lock: WriteLock, elsewhere: WriteLock) -> None:
    elsewhere.acquire()
    got = threading.Event()

    def work() -> None:
        with lock.held():
            got.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not got.wait(0.02)
    elsewhere.release()
    thread.join()
    assert got.is_set()


def in_child(work: Callable[[], object]) -> int:
    """The id of a forked process that does the work and ends."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return child


def next_in_line_is_free(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.lockf(descriptor, fcntl.LOCK_UN)
    return True


def test_a_process_that_waits_goes_before_one_that_was_just_inside(tmp_path: Path, lock: WriteLock) -> None:
    path, been_inside = tmp_path / "db.lock", tmp_path / "been-inside"

    def wait_once() -> None:
        with WriteLock(path, 10.0).held():
            been_inside.touch()

    lock.acquire()
    child = in_child(wait_once)
    descriptor = os.open(path, os.O_RDWR)
    assert until(lambda: not next_in_line_is_free(descriptor)), "the child does not stand at the turnstile"
    assert not been_inside.exists()
    lock.release()
    with lock.held():
        assert been_inside.exists()
    os.close(descriptor)
    assert os.waitpid(child, 0)[1] == 0


def test_a_queue_of_threads_does_not_keep_another_process_out_beyond_its_turn(tmp_path: Path, lock: WriteLock) -> None:
    path, running, done = tmp_path / "db.lock", tmp_path / "running", tmp_path / "done"

    def work_elsewhere() -> None:
        until(running.exists)
        other = WriteLock(path, 10.0)
        for _ in range(20):
            with other.held():
                pass
        done.touch()

    def work() -> None:
        for number in range(1500):
            with lock.held():
                if number == 20:
                    running.touch()
                # The line never runs empty, or the file lock would be let go of for that reason.
                until(lambda: len(lock._waiting) > 0, at_most_seconds=0.02)
            if done.exists():
                break
        was_done.append(done.exists())

    was_done: list[bool] = []
    child = in_child(work_elsewhere)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert was_done[0], "the other process had to wait until a thread had finished"
    assert os.waitpid(child, 0)[1] == 0


def test_the_file_lock_is_handed_on_within_the_process(lock: WriteLock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writelock, "TURN_SECONDS", 60.0)
    held: list[bool] = []

    def work() -> None:
        held.append(lock._file._held)
        with lock.held():
            held.append(lock._file._held)

    thread = threading.Thread(target=work)
    lock.acquire()
    thread.start()
    waiting(lock, 1)
    lock.release()
    thread.join()
    assert (held, lock._file._held) == ([True, True], False)


def test_after_its_turn_the_process_lets_go_of_the_file(lock: WriteLock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writelock, "TURN_SECONDS", 0.0)
    with lock.held():
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        waiting(lock, 1)
    thread.join()
    lock.release()
    assert not lock._file._held


@pytest.mark.parametrize("in_line", [True, False], ids=["while in line", "when called already"])
def test_a_thread_interrupted_in_line_leaves_no_hole(lock: WriteLock, in_line: bool) -> None:
    class Interrupted:
        """A place in the line whose waiting is ended by a signal's exception."""

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            if timeout == -1:
                return True
            if not in_line:
                lock.release()
            raise KeyboardInterrupt

        def release(self) -> None:
            """Called by whoever hands over."""

    lock.acquire()
    lock._owner = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "Lock", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            lock.acquire()
    if in_line:
        lock.release()
    with lock.held():
        assert not lock._waiting


def test_a_turn_that_comes_in_the_moment_of_giving_up_is_taken(lock: WriteLock) -> None:
    class Late:
        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            if timeout != -1:
                lock.release()
            return timeout == -1

        def release(self) -> None:
            """Called by whoever hands over."""

    lock.acquire()
    lock._owner = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "Lock", Late)
        lock.acquire(0.01)
    assert lock._owner == threading.get_ident()
    lock.release()


def test_a_lock_never_used_can_be_abandoned(lock: WriteLock) -> None:
    lock.abandon()
    with lock.held():
        pass


def test_a_lock_file_that_was_deleted_is_made_again(lock: WriteLock, tmp_path: Path) -> None:
    with lock.held():
        pass
    (tmp_path / "db.lock").unlink()
    with lock.held():
        descriptor = os.open(tmp_path / "db.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_a_lock_file_that_was_replaced_is_the_one_that_counts(lock: WriteLock, tmp_path: Path) -> None:
    with lock.held():
        pass
    (tmp_path / "other").touch()
    (tmp_path / "other").rename(tmp_path / "db.lock")
    with lock.held():
        assert os.fstat(lock._file._descriptor).st_ino == os.stat(tmp_path / "db.lock").st_ino
