"""`sticky-calls serve`: the service under gunicorn, with its database prepared and its settings in one place.

gunicorn's settings, with the reason for each, are in `application`; deploy/gunicorn.conf.py uses the same ones.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from adapter import __version__, logs
from adapter.cli.configured import config_option, opened
from adapter.config import Config, find, load
from adapter.config.environment import PREFIX
from adapter.config.pepper import pepper_for
from adapter.errors import StoreUnavailable
from adapter.store import organizations
from adapter.store.sqlite import soundness

from .application import GunicornApp
from .listening import refuse_taken_address
from .metrics import count_together

_LOG = logging.getLogger(__name__)
# A file of some gigabytes is read in part: `sticky-calls db check` reads all of it.
_CHECK_SECONDS = 5.0


@click.command(epilog="Example:  sticky-calls serve --config config.yaml --bind 0.0.0.0:8080 --workers 4")
@click.option("--bind", help="host:port or unix:/path; in place of server.bind.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; in place of server.workers.")
@click.option("--threads", type=click.IntRange(1, 1_024), help="Threads of each; in place of server.threads.")
@config_option
def serve(bind: str | None, workers: int | None, threads: int | None, path: Path | None) -> None:
    """Run the service until it is told to stop (Ctrl-C, SIGTERM); calls being answered are finished first."""
    given = {"BIND": bind, "WORKERS": workers, "THREADS": threads}
    run(path, {f"SERVER__{name}": str(value) for name, value in given.items() if value is not None})


def run(
    path: Path | None, given: Mapping[str, str], changed: Callable[[Config], Config] = lambda config: config
) -> None:
    """The service of the configuration at `path`, with these settings in place of its own (SERVER__WORKERS: 4).

    `changed`: what no single setting can say, done whenever the file is read. It may raise ConfigError.
    """
    # Through the environment's door, so that what is given here is checked like everything else.
    extra = {f"{PREFIX}{name}": value for name, value in given.items()}

    def read() -> Config:
        return changed(load(find(path, os.environ), {**os.environ, **extra}))

    config = read()
    logs.configure(config.logging.level)
    refuse_taken_address(config.server.bind)
    prepare(config)
    GunicornApp(config, announcement(config) if sys.stderr.isatty() else None, read).run()


def prepare(config: Config) -> None:
    """Database, pepper and organizations, made before there are workers; closed again, so that no fork shares them.

    StoreMismatch and ConfigError stop the start. A database that does not answer, or is damaged, does not: callers must
    hear something.
    """
    count_together(config)
    pepper_for(config)
    try:
        with opened(config, _LOG.warning) as store:
            organizations.register(store, [(o.id, o.plan.billing_account_id) for o in config.organizations])
            for sign in soundness.damage(store, _CHECK_SECONDS):
                _LOG.error("the database is damaged, restore a backup (`sticky-calls db restore`): %s", sign)
    except StoreUnavailable as error:
        _LOG.error("starting without the database: %s", error.message)


def announcement(config: Config) -> str:
    """What a person at a terminal wants to know when the service has started."""
    server = config.server
    address = server.bind if server.bind.startswith("unix:") else f"http://{server.bind}"
    lines = [
        f"sticky-calls {__version__} listens on {address} ({server.workers} processes, {server.threads} threads each).",
        f"  Health and documentation:  {address}/v1/health  {address}/docs",
        "  An API key:                sticky-calls keys create",
    ]
    if config.twilio.public_url and config.lines:
        lines.append(f"  Twilio's voice URL:        {config.twilio.public_url}/twilio/voice")
        lines.append(f"  Twilio's status callback:  {config.twilio.public_url}/twilio/status")
    else:
        lines.append("  To answer calls, set twilio.public_url, twilio.accounts and lines (see config.example.yaml).")
    if config.recording.file is not None:
        lines.append(f"  Webhooks are recorded in:  {config.recording.file}")
    return "\n".join([*lines, "  Ctrl-C stops it."])
