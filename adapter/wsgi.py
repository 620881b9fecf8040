"""gunicorn's door: `gunicorn "adapter.wsgi:build()"`. The configuration's file is named by ADAPTER_CONFIG."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from adapter import logs
from adapter.app import create_app
from adapter.config import Config, load
from adapter.upkeep import start_upkeep
from adapter.web.rest.problems import of_request


def build() -> Flask:
    """The app of one worker, with its upkeep running. Raises ConfigError with every mistake."""
    named = os.environ.get("ADAPTER_CONFIG")
    return worker_app(load(Path(named) if named else None, os.environ))


def worker_app(config: Config) -> Flask:
    """The same for a configuration that has been read."""
    logs.configure(config.logging.level, of_request)
    app = create_app(config)
    start_upkeep(app.extensions["sticky-calls"])
    return app
