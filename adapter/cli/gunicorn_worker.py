"""gunicorn's threaded worker, which tells how long a request has waited for a thread (`adapter.web.arrival`), and is
stopped without the two ways in which gunicorn's own misses a signal or hangs at it.

1. At SIGINT and SIGQUIT gunicorn's own handler shuts the thread pool down at once. The pool's lock is not reentrant,
   and the main thread, which runs handlers, often holds it just then (it hands a request over): the worker hangs for
   ever, and Ctrl-C ends half a minute later with a kill. Here both signals ask for the same graceful end as SIGTERM.
2. Between the fork and the worker's own handlers a signal goes to those of the master, which the fork copied, and is
   lost. So signals wait meanwhile: blocked before the fork, let through when the handlers are there.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from adapter.web import arrival

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_registered: list[bool] = []


def hold_signals(_arbiter: Any, _worker: Any) -> None:
    """gunicorn's `pre_fork`: from here on signals that stop wait, in the master until it has forked."""
    if not _registered:
        _registered.append(True)
        os.register_at_fork(after_in_parent=_let_signals_through)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _let_signals_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


class Worker(ThreadWorker):  # type: ignore[misc]
    """One process of the service; see the module."""

    def enqueue_req(self, conn: Any) -> None:
        """Called by gunicorn when a request can be read; `handle` is called in a thread, once one is free."""
        conn.enqueued_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Called by gunicorn."""
        arrival.note_wait(time.monotonic() - conn.enqueued_at)
        return super().handle(conn)

    def init_signals(self) -> None:
        """Called by gunicorn in the worker; what was held since before the fork arrives at its end."""
        super().init_signals()
        _let_signals_through()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT, SIGQUIT: finish what is being answered, then end."""
        self.handle_exit(sig, frame)
