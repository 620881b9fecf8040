"""What commands share: which configuration file is meant, and the store it describes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from adapter.config import Config, find, load
from adapter.config.suggestions import did_you_mean
from adapter.store.database import Store
from adapter.store.sealing import Keyring

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
    return Store.open(config.database.url, keyring, lock_timeout_seconds=seconds, pool_size=config.database.pool_size)


@contextmanager
def opened(config: Config) -> Iterator[Store]:
    """The configured store, created and brought to this version, closed afterwards."""
    store = store_of(config)
    store.migrate()
    try:
        yield store
    finally:
        store.close()


def organization_named(config: Config, named: str | None) -> str:
    """The organization that is meant; it may be left out when there is only one. click.UsageError."""
    known = [organization.id for organization in config.organizations]
    if named is None and len(known) == 1:
        return known[0]
    if named not in known:
        what = f'there is no organization "{named}"{did_you_mean(named, known)}' if named else "whose key is it"
        raise click.UsageError(f"{what}; --organization can be {', '.join(known)}")
    return named
