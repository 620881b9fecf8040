"""The worker stops when it is told, at whatever moment that is."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapter.cli.gunicorn_worker import Worker


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_that_comes_while_a_request_is_handed_over_ends_the_worker(told: signal.Signals) -> None:
    worker = Worker.__new__(Worker)
    worker.alive = True
    worker.method_queue = type("Queue", (), {"defer": staticmethod(lambda call: None)})
    worker.tpool = ThreadPoolExecutor(1)
    handle = worker.handle_exit if told is signal.SIGTERM else worker.handle_quit
    # As `submit` holds it; the handler runs in the very thread that does, so it could never be had.
    with worker.tpool._shutdown_lock:
        handling = threading.Thread(target=handle, args=(told, None), daemon=True)
        handling.start()
        handling.join(10)
        assert not handling.is_alive(), "the handler waits for the pool's lock"
    assert not worker.alive
    worker.tpool.shutdown()


FORK = """
import os, signal
from gunicorn.workers.gthread import ThreadWorker
from adapter.cli.gunicorn_worker import Worker, hold_signals

lost = []
signal.signal(signal.SIGTERM, lambda *_: lost.append("the master's copied handler"))
hold_signals(None, None)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.read(read, 1)  # the signal has been sent
    worker = Worker.__new__(Worker)
    worker.alive = True
    worker.PIPE = (None, write)
    os.set_blocking(write, False)
    worker.method_queue = type("Queue", (), {"defer": staticmethod(lambda call: None)})
    worker.init_signals()
    os._exit(10 if lost else 20 if worker.alive else 0)
os.kill(child, signal.SIGTERM)
os.write(write, b"x")
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()), "the master no longer hears"
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_signal_that_comes_just_after_the_fork_waits_for_the_worker_to_be_ready() -> None:
    ran = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "0\n", ran
