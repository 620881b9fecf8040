"""`sticky-calls db backup` and `db restore`: a SQLite database as one file, and back. PostgreSQL has its own tools."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from adapter.cli.configured import config_option, configured, store_of
from adapter.cli.shown import AS_JSON
from adapter.clock import SystemClock
from adapter.store.database import Store
from adapter.store.sqlite.backup import back_up
from adapter.store.sqlite.restore import Restored
from adapter.store.sqlite.restore import restore as put_back
from adapter.store.sqlite.store import SqliteStore

_BESIDE = "Not in it, and needed with it: the pepper and security.encryption_keys. Keep them elsewhere."


@click.command(epilog="Example:  sticky-calls db backup --config config.yaml /backups/calls.db --replace")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="FILE may exist; it is replaced when the new one is complete.")
@AS_JSON
@config_option
def backup(file: Path, replace: bool, as_json: bool, path: Path | None) -> None:
    """Write the database into FILE while the service runs: one state of it, checked, complete or not there."""
    store = _sqlite(store_of(configured(path)), 'pg_dump --format=custom --file=FILE "$DATABASE_URL"')
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("Writing the backup …", total=1.0)
        size = back_up(store.path, file, replace=replace, progress=lambda share: shown.update(task, completed=share))
    if as_json:
        click.echo(json.dumps({"file": str(file), "bytes": size}))
        return
    click.echo(f"{file}: {size:,} bytes, sound.")
    click.echo(_BESIDE, err=True)


@click.command(epilog="Example:  sticky-calls db restore --config config.yaml /backups/calls.db")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@AS_JSON
@config_option
def restore(file: Path, as_json: bool, path: Path | None) -> None:
    """Put the backup FILE in the database's place; the old file is kept aside. Stop the service first.

    Customers erased since the backup stay erased, and API keys stay as they are.
    """
    store = _sqlite(store_of(configured(path)), "pg_restore --clean --if-exists --dbname=DATABASE FILE")
    done = put_back(file, store, SystemClock().now())
    store.close()
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        click.echo(json.dumps({"database": store.name, **asdict(done), "aside": aside}))
        return
    click.echo(f"{store.name} is what {file} was.")
    for line in _remarks(done):
        click.echo(line, err=True)


def _sqlite(store: Store, instead: str) -> SqliteStore:
    if isinstance(store, SqliteStore):
        return store
    raise click.ClickException(f"{store.name} is PostgreSQL, which has its own tool for that: {instead}")


def _remarks(done: Restored) -> list[str]:
    told = []
    if done.aside is not None:
        told.append(f"The old database is kept as {done.aside}; delete it when you no longer need it.")
    if done.erased or done.revoked or done.made:
        kept = f"{done.erased} customers erased, {done.revoked} keys revoked and {done.made} keys made"
        told.append(f"Carried over: {kept} since the backup.")
    if done.unasked is not None:
        told.append(f"The old database could not be asked who was erased and which keys were revoked: {done.unasked}")
    return told
