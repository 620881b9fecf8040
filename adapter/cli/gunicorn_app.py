"""gunicorn, run from within: its settings for this service, its log among ours, one app a worker."""

from __future__ import annotations

import os
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from adapter import logs
from adapter.config import Config


class GunicornApp(BaseApplication):  # type: ignore[misc]
    """`announcement`: told on stderr when the service listens; without one, gunicorn's own log says so."""

    def __init__(self, config: Config, announcement: str | None) -> None:
        self._config = config
        self._announcement = announcement
        super().__init__(prog="sticky-calls")

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in settings(self._config).items():
            self.cfg.set(name, value)
        if self._announcement is not None:
            self.cfg.set("loglevel", "warning")
            self.cfg.set("when_ready", self._announce)

    def load(self) -> Flask:
        """Called by gunicorn in each worker, after the fork."""
        from adapter.app import create_app
        from adapter.upkeep import start_upkeep

        logs.configure(self._config.logging.level)
        app = create_app(self._config)
        start_upkeep(app.extensions["sticky-calls"])
        return app

    def _announce(self, _: Any) -> None:
        click.echo(self._announcement, err=True)


def settings(config: Config) -> dict[str, Any]:
    """gunicorn's settings for this service; the reasons are in deploy/gunicorn.conf.py."""
    return {
        "bind": config.server.bind,
        "workers": config.server.workers,
        "threads": config.server.threads,
        "worker_class": "gthread",
        "reuse_port": not config.server.bind.startswith("unix:"),
        "control_socket_disable": True,
        "preload_app": False,
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 75,
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108 - gunicorn makes its own file
        "loglevel": config.logging.level,
        "logger_class": MaskedLogger,
        "proc_name": "sticky-calls",
    }


class MaskedLogger(Logger):  # type: ignore[misc]
    """gunicorn's messages as lines of our log, masked like the rest."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
