"""What commands share: which configuration file is meant, and the store it describes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adapter.config import Config, find, load
from adapter.config.suggestions import did_you_mean
from adapter.engine.model import Mode, Principal
from adapter.store.database import Store
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from adapter.usecases import Service

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """`--config FILE`, without which ADAPTER_CONFIG, ./config.yaml or the defaults are used."""
    return click.option(
        "--config",
        "path",
        type=click.Path(path_type=Path),
        help="YAML file. Without it: $ADAPTER_CONFIG, else ./config.yaml, else the defaults.",
    )(command)


def configured(path: Path | None) -> Config:
    """The configuration a command runs under; ConfigError with every mistake."""
    return load(find(path, os.environ), os.environ)


def store_of(config: Config) -> Store:
    """The configured store, not yet touched."""
    keyring = Keyring(config.security.encryption_keys)
    seconds = config.database.lock_timeout_ms / 1_000
    return open_store(config.database.url, keyring, lock_timeout_seconds=seconds, pool_size=config.database.pool_size)


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


@contextmanager
def opened(config: Config, tell: Callable[[str], None] = _note) -> Iterator[Store]:
    """The configured store, created and brought to this version, closed afterwards. `tell`: that it was not there."""
    store = store_of(config)
    with _told_of_a_new_file(store, tell):
        store.migrate()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def in_service(config: Config) -> Iterator[Service]:
    """What use cases work with, on the configured store, closed afterwards.

    Where it cannot be written to, what can be read still is.
    """
    # Here, because most commands need none of what it brings along.
    from adapter.app import build_service

    with _without_a_log(), _told_of_a_new_file(store_of(config), _note):
        service = build_service(config)
    try:
        yield service
    finally:
        service.store.close()


@contextmanager
def _told_of_a_new_file(store: Store, tell: Callable[[str], None]) -> Iterator[None]:
    """Whoever has left out --config, or is in another folder, would take an empty database for their own."""
    path = store.path if isinstance(store, SqliteStore) else None
    was_there = path is None or path.exists()
    yield
    if path is not None and not was_there and path.exists():
        tell(f"there was no database {store.name}: an empty one was made")


@contextmanager
def _without_a_log() -> Iterator[None]:
    """A service would tell its log that it starts without the database; a command fails by itself when it needs it."""
    log = logging.getLogger("adapter.app")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def realms_option(command: Command) -> Command:
    """`--organization` and `--mode`, without which all are meant; see `realms_of`."""
    modes = click.Choice([mode.value for mode in Mode])
    command = click.option("--mode", type=modes, help="Only this half of the data.")(command)
    return click.option("--organization", help="Only this organization's.")(command)


def realms_of(service: Service, organization: str | None, mode: str | None) -> list[Principal]:
    """Whose data is meant, one for each realm. click.UsageError when there is no such organization."""
    wanted = [each for each in Mode if mode in (None, each.value)]
    found = [principal for each in wanted for principal in service.directory.principals(each)]
    known = sorted({principal.organization for principal in found})
    if organization not in (None, *known):
        advice = f"{did_you_mean(str(organization), known)}; --organization can be {', '.join(known)}"
        raise click.UsageError(f'there is no organization "{organization}"{advice}')
    return [principal for principal in found if organization in (None, principal.organization)]


def organization_named(config: Config, named: str | None) -> str:
    """The organization that is meant; it may be left out when there is only one. click.UsageError."""
    known = [organization.id for organization in config.organizations]
    if named is None and len(known) == 1:
        return known[0]
    if named not in known:
        what = f'there is no organization "{named}"{did_you_mean(named, known)}' if named else "whose key is it"
        raise click.UsageError(f"{what}; --organization can be {', '.join(known)}")
    return named
