"""Connections go to the worker that holds fewest, and are taken all the same when that one does not take them."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from adapter.cli.serving import shares as sharing
from adapter.cli.serving.shares import Shares, SharingWorker, give_place, leave_place, take_place_back
from tests.cli.test_serve import serving, wait_until_healthy
from tests.serving import free_port
from tests.store.sqlite.test_writelock import until


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> Shares:
    made = Shares()
    monkeypatch.setattr(sharing, "_shares", [made])
    return made


@pytest.fixture
def workers(shares: Shares, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two that accept, as after a fork; `accepted` counts what gunicorn's own `accept` was asked for."""
    monkeypatch.setattr(ThreadWorker, "accept", lambda self, listener: self.accepted.append(listener))
    made = []
    for _ in range(2):
        worker = SharingWorker.__new__(SharingWorker)
        worker.place, worker._accepting, worker.accepted = shares.give(worker), True, []
        worker.nr_conns = 0
        made.append(worker)
    return made


def test_who_holds_more_leaves_a_connection_to_the_other(workers: list[Any]) -> None:
    one, other = workers
    one.nr_conns = 1
    one.accept("a")
    other.accept("a")
    assert (one.accepted, other.accepted) == ([], ["a"])


def test_of_equals_anybody_takes_it(workers: list[Any]) -> None:
    for worker in workers:
        worker.nr_conns = 3
    for worker in workers:
        worker.accept("a")
    assert [worker.accepted for worker in workers] == [["a"], ["a"]]


def test_what_the_other_does_not_take_is_taken_after_all(workers: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(sharing, "time", SimpleNamespace(monotonic=lambda: now[0]))
    one, _ = workers
    one.nr_conns = 5
    for seconds, taken in [(0.0, []), (0.009, []), (0.0101, ["a"]), (0.0, ["a"])]:
        now[0] += seconds
        one.accept("a")
        assert one.accepted == taken


@pytest.mark.parametrize("gone", ["stops accepting", "has ended", "has not begun"])
def test_only_who_accepts_is_left_anything(shares: Shares, workers: list[Any], gone: str) -> None:
    one, other = workers
    one.nr_conns = 5
    if gone == "stops accepting":
        other.poller, other.sockets = None, []
        other.set_accept_enabled(False)
    else:
        take_place_back(other)
    if gone == "has not begun":
        shares.give(object())
    one.accept("a")
    assert one.accepted == ["a"]


def test_the_place_of_who_has_ended_is_given_again(shares: Shares) -> None:
    first, second, third = SimpleNamespace(), SimpleNamespace(), SimpleNamespace()
    give_place(first)
    give_place(second)
    take_place_back(first)
    give_place(third)
    assert (second.place, third.place) == (1, 0)


def test_without_a_place_everything_is_taken(workers: list[Any]) -> None:
    one, _ = workers
    one.nr_conns = 5
    one.place = None
    one.accept("a")
    assert one.accepted == ["a"]


def test_there_are_no_more_places_than_that(shares: Shares) -> None:
    assert [shares.give(object()) for _ in range(66)][-3:] == [63, None, None]


@pytest.fixture
def told_to_end(workers: list[Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """One that takes connections and has been told to end while another loads; `now[0]` is the time."""
    worker = workers[0]
    worker.now = [100.0]
    monkeypatch.setattr(sharing, "time", SimpleNamespace(monotonic=lambda: worker.now[0]))
    worker.tmp = SimpleNamespace(notify=lambda: None)
    worker.method_queue = SimpleNamespace(defer=lambda call: None)
    worker.alive = True
    give_place(workers[1])
    worker.handle_exit(signal.SIGTERM, None)
    assert worker.alive
    return worker


@pytest.mark.parametrize("happens", ["takes connections", "has failed to load", "has been killed"])
def test_who_is_told_to_end_goes_on_while_another_loads(told_to_end: Any, workers: list[Any], happens: str) -> None:
    told_to_end.notify()
    assert told_to_end.alive
    loading = workers[1]
    if happens == "takes connections":
        loading.nr_conns = 0
    elif happens == "has failed to load":
        leave_place(None, loading)
    else:
        take_place_back(loading)
    told_to_end.notify()
    assert not told_to_end.alive


def test_who_loads_for_too_long_is_not_waited_for(told_to_end: Any) -> None:
    for seconds, lives in [(9.9, True), (0.2, False)]:
        told_to_end.now[0] += seconds
        told_to_end.handle_exit(signal.SIGTERM, None)  # told once more: counted from the first time
        assert told_to_end.alive is lives


@pytest.mark.parametrize("place", ["its own", "none"])
def test_who_has_nobody_to_wait_for_ends_at_once(shares: Shares, place: str) -> None:
    worker: Any = SharingWorker.__new__(SharingWorker)
    worker.place = shares.give(worker)
    if place == "none":
        worker.place = None
    worker.alive, worker.method_queue = True, SimpleNamespace(defer=lambda call: None)
    worker.handle_exit(signal.SIGTERM, None)
    assert not worker.alive


@pytest.mark.slow
def test_a_crowd_that_comes_at_once_is_shared_out_evenly(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, "--bind", f"127.0.0.1:{port}", "--workers", "2") as process:
        wait_until_healthy(port, process)
        # As soon as both are up, for the first one answers before; and then not by chance.
        assert until(lambda: all(min(taken_of_a_crowd(port, process.pid)) >= 18 for _ in range(8)), 60)


def taken_of_a_crowd(port: int, master: int) -> list[int]:
    """How many of forty connections each of two workers takes."""
    pids = [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    with ExitStack() as crowd:
        connections = [crowd.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(40)]
        ports = {connection.getsockname()[1] for connection in connections}
        assert until(lambda: sum(len(held(pid, ports)) for pid in pids) == 40)
        taken = [len(held(pid, ports)) for pid in pids]
    # Or the next crowd is shared out by how many of this one each has seen go.
    assert until(lambda: not any(held(pid, ports) for pid in pids))
    return taken


def held(pid: int, ports: set[int]) -> set[str]:
    """The sockets of this process whose other end is one of these ports."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    wanted = {f"socket:[{row[9]}]" for row in rows if int(row[2].partition(":")[2], 16) in ports}
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found & wanted
