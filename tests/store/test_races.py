"""Real processes and threads on one file: no lost update, no "database is locked", nobody starves, nothing breaks."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from adapter.store import meters
from adapter.store.database import Store
from tests import databases
from tests.store import workers

pytestmark = pytest.mark.slow
PROCESSES, THREADS, TIMES = 4, 4, 40


@pytest.fixture
def counter(store: Store) -> Store:
    with store.begin(workers.REALM) as tx:
        meters.charge(tx, 0, 0)
    return store


def counted(store: Store) -> int:
    with store.read(workers.REALM) as tx:
        return meters.used(tx, 0)


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def test_no_update_is_lost_and_nobody_finds_it_locked(counter: Store, url: str) -> None:
    results = workers.in_processes(workers.count_up, [(url, THREADS, TIMES, 0)] * PROCESSES)
    assert [wrong for _, wrong in results] == [[]] * PROCESSES
    assert counted(counter) == sum(done for done, _ in results) == PROCESSES * THREADS * TIMES


@pytest.mark.sqlite
def test_a_storm_of_writes_and_reads_leaves_a_short_log_and_a_sound_file(counter: Store, url: str, path: Path) -> None:
    over, longest = threading.Event(), 0

    def watch() -> None:
        nonlocal longest
        while not over.is_set():
            counted(counter)
            longest = max(longest, os.stat(f"{path}-wal").st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    results = workers.in_processes(workers.count_up, [(url, 2, 60, 60)] * 3)
    over.set()
    watcher.join()
    assert [wrong for _, wrong in results] == [[]] * 3
    # Each of 60 random rows is on a page of its own more often than not; a third of that is a safe guess.
    written = sum(done for done, _ in results) * 20 * 4096
    assert longest < 12 * 1024 * 1024 < written, "checkpoints keep the log at a fraction of what was written"
    assert counted(counter) == 3 * 2 * 60
    counter.close()
    assert integrity(path) == "ok"


def test_killed_writers_leave_no_lock_and_a_sound_file(counter: Store, url: str, path: Path) -> None:
    for _ in range(3):
        before = counted(counter)
        program = f"from tests.store import workers; workers.count_up_for_ever({url!r})"
        victim = subprocess.Popen([sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)})
        deadline = time.monotonic() + 20
        while counted(counter) < before + 30 and time.monotonic() < deadline:
            pass
        victim.kill()
        victim.wait()
        assert counted(counter) >= before + 30
        with counter.begin(workers.REALM) as tx:
            meters.charge(tx, 0)
    counter.close()
    assert databases.kind == "postgresql" or integrity(path) == "ok"
