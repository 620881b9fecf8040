"""gunicorn's threaded worker: it refuses in JSON, tells how long a request has waited for a thread
(`adapter.web.arrival`), and is stopped without the two ways in which gunicorn's own misses or hangs at a signal. How it
shares connections with others: `shares`.

A connection takes a thread only once something has come over it: gunicorn's own worker gives it one at once, for up to
five seconds, so that a dozen browsers which connect ahead of need would hold up every caller.

1. At SIGINT and SIGQUIT gunicorn's own handler shuts the thread pool down at once. The pool's lock is not reentrant,
   and the main thread, which runs handlers, often holds it just then (it hands a request over): the worker hangs for
   ever, and Ctrl-C ends half a minute later with a kill. Here both signals ask for the same graceful end as SIGTERM.
2. Between the fork and the worker's own handlers a signal goes to those of the master, which the fork copied, and is
   lost. So signals wait meanwhile: blocked before the fork, let through when the handlers are there.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from adapter.web import arrival

from .refusals import refusal, status_of
from .shares import SharingWorker

_LOG = logging.getLogger(__name__)
# For who does not read the answer: it fits into any socket's buffer, so nobody honest takes as long.
_ANSWER_SECONDS = 1.0
# Who connects and says nothing is not waited for longer.
_FIRST_BYTES_SECONDS = 10.0
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


class Worker(SharingWorker):
    """One process of the service; see the module."""

    def enqueue_req(self, conn: Any) -> None:
        """Called by gunicorn when somebody has connected, and when a request can be read; for the latter `handle` is
        called in a thread, once one is free."""
        if not (conn.initialized or conn.data_ready):
            self._wait_for_first_bytes(conn)
            return
        conn.enqueued_at = time.monotonic()
        super().enqueue_req(conn)

    def _wait_for_first_bytes(self, conn: Any) -> None:
        conn.timeout = time.monotonic() + _FIRST_BYTES_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _cap_keepalive(self, deadline: float) -> None:
        """Called by gunicorn when the worker is to end; it forgets those that have said nothing yet."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

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

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:
        """Called by gunicorn when it cannot read a request, or the app has failed in a way that even it did not see."""
        status = status_of(exc)
        answer, request_id = refusal(status)
        # Not what was sent: it may be a webhook's address, with numbers and names in it.
        level, failure = (logging.ERROR, exc) if status == 500 else (logging.WARNING, None)
        told = {"request_id": request_id}
        _LOG.log(level, "request refused by the server: %s", type(exc).__name__, exc_info=failure, extra=told)
        with suppress(OSError):
            client.settimeout(_ANSWER_SECONDS)
            client.sendall(answer)
