"""The worker stops when it is told, at whatever moment that is."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapter.cli.serving.worker import Worker
from tests import serving


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
from adapter.cli.serving.worker import Worker, hold_signals

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


@pytest.mark.slow
def test_who_connects_and_says_nothing_holds_no_thread(tmp_path: Path) -> None:
    with serving.serving(tmp_path, workers=1, threads=2) as server, ExitStack() as silent:
        for _ in range(30):
            silent.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        speaking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=4)  # a silent one held a thread for 5 s
        speaking.request("GET", "/v1/health")
        assert speaking.getresponse().status == 200
        speaking.close()
        server.stop()  # nor does it hold up the end


@pytest.mark.slow
def test_who_speaks_late_is_heard(tmp_path: Path) -> None:
    with serving.serving(tmp_path, workers=1, threads=2) as server:
        late = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        late.connect()
        time.sleep(0.3)
        for _ in range(2):
            late.request("GET", "/v1/health")
            answer = late.getresponse()
            assert (answer.status, answer.read() != b"") == (200, True)
        late.close()
