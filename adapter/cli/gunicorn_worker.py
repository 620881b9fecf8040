"""gunicorn's threaded worker: takes its share of connections, and stops without missing a signal or hanging at one.

1. At SIGINT and SIGQUIT gunicorn's own handler shuts the thread pool down at once. The pool's lock is not reentrant,
   and the main thread, which runs handlers, often holds it just then (it hands a request over): the worker hangs for
   ever, and Ctrl-C ends half a minute later with a kill. Here both signals ask for the same graceful end as SIGTERM.
2. Between the fork and the worker's own handlers a signal goes to those of the master, which the fork copied, and is
   lost. So signals wait meanwhile: blocked before the fork, let through when the handlers are there.
3. gunicorn's worker takes every connection that it sees first. Here it leaves those to a worker that holds fewer.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from .gunicorn_shares import Shares

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
# The others may stand still, or be gone without anybody's having noticed: then it is taken after all.
_LEFT_TO_OTHERS_SECONDS = 0.01
_registered: list[bool] = []
_shares: list[Shares] = []


def before_fork(_arbiter: Any, worker: Any) -> None:
    """gunicorn's `pre_fork`: from here on signals that stop wait, in the master until it has forked."""
    if not _shares:
        _shares.append(Shares())
    worker.place = _shares[0].give(worker)
    if not _registered:
        _registered.append(True)
        os.register_at_fork(after_in_parent=_let_signals_through)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def after_exit(_arbiter: Any, worker: Any) -> None:
    """gunicorn's `child_exit`."""
    for shares in _shares:
        shares.take_back(worker)


def _let_signals_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


class Worker(ThreadWorker):  # type: ignore[misc]
    """One process of the service; see the module. `place`: among the shares."""

    place: int | None = None
    _connections = 0
    _left_since: float | None = None

    @property
    def nr_conns(self) -> int:
        """How many connections it holds; gunicorn counts them here."""
        return self._connections

    @nr_conns.setter
    def nr_conns(self, number: int) -> None:
        self._connections = number
        self._tell()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called by gunicorn: at the start, when there are too many connections, and at the end."""
        super().set_accept_enabled(enabled)
        self._tell()

    def accept(self, listener: Any) -> None:
        """Called by gunicorn when somebody connects: in every worker that waits, until one has taken it."""
        if not self._leaves_it_to_others():
            super().accept(listener)

    def _leaves_it_to_others(self) -> bool:
        if self.place is None or not _shares[0].is_fuller(self.place, self._connections):
            self._left_since = None
            return False
        now = time.monotonic()
        if self._left_since is None:
            self._left_since = now
        if now - self._left_since < _LEFT_TO_OTHERS_SECONDS:
            return True
        self._left_since = None
        return False

    def _tell(self) -> None:
        if self.place is not None:
            _shares[0].tell(self.place, self._connections if self._accepting else None)

    def init_signals(self) -> None:
        """Called by gunicorn in the worker; what was held since before the fork arrives at its end."""
        super().init_signals()
        _let_signals_through()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT, SIGQUIT: finish what is being answered, then end."""
        self.handle_exit(sig, frame)
