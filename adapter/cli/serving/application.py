"""gunicorn, run from within: its settings for this service, its log among ours, one app a worker.

The code is imported before the workers are forked: they share it, a reload takes over at once, and it never mixes two
versions after the files have been replaced. The app, with its connections, is each worker's own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from gunicorn import systemd  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from adapter.cli.cycles import AMONG_REQUESTS, look_seldom
from adapter.config import Config
from adapter.errors import ConfigError
from adapter.web.shedding import SPARE_THREADS
from adapter.wsgi import worker_app

from .metrics import MEMORY, count_together, forget_worker
from .shares import give_place, leave_place, take_place_back
from .worker import Worker, hold_signals

_LOG = logging.getLogger(__name__)


class GunicornApp(BaseApplication):  # type: ignore[misc]
    """`announcement`: told on stderr when the service listens; without one, gunicorn's own log says so."""

    def __init__(self, config: Config, announcement: str | None, reread: Callable[[], Config] | None = None) -> None:
        """`reread`: what SIGHUP does before new workers take over: secrets can be changed while calls go on."""
        self._config = config
        self._reread = reread
        self._announcement = announcement
        super().__init__(prog="sticky-calls")

    def run(self) -> None:
        """Until it is told to stop."""
        try:
            WatchedArbiter(self).run()
        except RuntimeError as error:
            raise click.ClickException(str(error)) from error

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in settings(self._config).items():
            self.cfg.set(name, value)
        if self._announcement is not None:
            self.cfg.set("loglevel", "warning")
            self.cfg.set("when_ready", self._announce)

    def reload(self) -> None:
        """Called by gunicorn at SIGHUP. With mistakes in the configuration the one in effect stays."""
        try:
            self._config = self._config if self._reread is None else self._reread()
        except ConfigError as error:
            for problem in error.problems:
                _LOG.error("the configuration was not read again: %s", problem)
        # Switched on just now, each worker would count for itself.
        count_together(self._config)
        super().reload()

    def load(self) -> Flask:
        """Called by gunicorn in each worker, after the fork."""
        return worker_app(self._config)

    def _announce(self, _: Any) -> None:
        click.echo(self._announcement, err=True)


class WatchedArbiter(Arbiter):  # type: ignore[misc]
    """Tells systemd's watchdog (WatchdogSec=, deploy/systemd) that its loop runs; workers are watched by that loop."""

    def murder_workers(self) -> None:
        """Called by gunicorn once a second."""
        super().murder_workers()
        # A no-op where there is no systemd.
        systemd.sd_notify("WATCHDOG=1", self.log)


def _prepare(arbiter: Any, worker: Any) -> None:
    give_place(worker)
    hold_signals(arbiter, worker)


def _forget(arbiter: Any, worker: Any) -> None:
    forget_worker(arbiter, worker)
    take_place_back(worker)


def settings(config: Config) -> dict[str, Any]:
    """gunicorn's settings for this service; deploy/gunicorn.conf.py uses the same."""
    return {
        "bind": config.server.bind,
        "workers": config.server.workers,
        "threads": config.server.threads + SPARE_THREADS,
        # Threads, because a request mostly waits for the disk; a few slow connections stop sync workers altogether.
        "worker_class": Worker,
        "pre_fork": _prepare,
        "child_exit": _forget,
        "worker_exit": leave_place,
        "post_worker_init": _settle,
        # One socket for all workers. With a socket each, the kernel shares connections out more evenly, but those that
        # wait at a worker that is being replaced are reset: a reload would drop calls.
        "reuse_port": False,
        # gunicorn >= 25.1 opens a socket in the home directory through which it can be controlled. Nobody uses it here.
        "control_socket_disable": True,
        # Loaded in each worker after the fork: a database connection carried over a fork corrupts the database.
        "preload_app": False,
        # A worker whose main loop is silent for so long is killed. Twilio gives up after 15 s; this is for real hangs.
        "timeout": 60,
        # At SIGTERM requests being answered get so long to finish: longer than Twilio waits, so nobody is cut off.
        "graceful_timeout": 30,
        # Longer than nginx keeps idle connections to us (60 s), or it now and then sends into a closing one: a 502.
        "keepalive": 75,
        # A webhook by GET has all its fields in the request line, add-ons' results too; the default is 4 094 bytes.
        "limit_request_line": 8_190,
        # The heartbeat file; on a disk, a slow fsync elsewhere could block it and get a healthy worker killed.
        "worker_tmp_dir": MEMORY if os.path.isdir(MEMORY) else None,
        "loglevel": config.logging.level,
        # gunicorn's messages in our log, masked alike. No access log: the URLs of webhooks hold numbers.
        "logger_class": MaskedLogger,
        "proc_name": "sticky-calls",
    }


def _settle(_: Any) -> None:
    """In a worker that has loaded its app."""
    look_seldom(AMONG_REQUESTS)


class MaskedLogger(Logger):  # type: ignore[misc]
    """gunicorn's messages as lines of our log, masked like the rest."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
