"""`sticky-calls db`: the database's schema, health and encryption keys."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from adapter.cli.configured import config_option, configured, opened
from adapter.store.rekey import rekey as bring_under_newest_key

from .backup import backup, restore
from .check import check
from .copy import copy
from .drill import drill


@click.group(epilog="Example:  sticky-calls db check")
def db() -> None:
    """Look after the database."""


@db.command(epilog="Example:  sticky-calls db upgrade --config config.yaml")
@config_option
def upgrade(path: Path | None) -> None:
    """Create the database, or bring it to this version. `serve` does the same when it starts."""
    config = configured(path)
    with opened(config) as store:
        click.echo(f"{store.name} is at this version.")


@db.command(epilog="Example:  sticky-calls db compact --config config.yaml")
@config_option
def compact(path: Path | None) -> None:
    """Write the file anew: smaller, and without a trace of what was deleted. Calls wait meanwhile: run it at night."""
    with opened(configured(path)) as store, Console(stderr=True).status("Writing the database anew …"):
        before = store.size()
        store.compact()
        after = store.size()
    click.echo(f"{store.name}: {before:,} bytes before, {after:,} bytes now.")


@db.command(epilog="Example:  sticky-calls db rekey --config config.yaml")
@click.option("--batch", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Rows a transaction.")
@config_option
def rekey(batch: int, path: Path | None) -> None:
    """Bring everything under the newest of security.encryption_keys.

    Runs beside the service, can be stopped and run again. When a run finds nothing to do, older keys can be taken out.
    """
    config = configured(path)
    if not config.security.encryption_keys:
        raise click.ClickException(
            "there is no key in security.encryption_keys; add one with `openssl rand -base64 32`"
        )
    newest = config.security.encryption_keys[0][0]
    with opened(config) as store, Console(stderr=True).status(f"Bringing everything under key {newest} …"):
        counts = {kind: count for kind, count in asdict(bring_under_newest_key(store, batch)).items() if count}
        if counts:
            store.compact()  # what lay there under the old key, or under none, is still in the file's slack
    done = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items())
    click.echo(f"Brought under key {newest}: {done}." if done else f"Everything is under key {newest} already.")


db.add_command(check)
db.add_command(backup)
db.add_command(restore)
db.add_command(copy)
db.add_command(drill)
