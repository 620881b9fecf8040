"""The store at an address: which kind of database it is. Leaves out: everything else."""

from __future__ import annotations

from adapter.errors import ConfigError

from . import forks
from .database import Store
from .sealing import Keyring
from .sqlite.store import SqliteStore


def open_store(url: str, keyring: Keyring, *, lock_timeout_seconds: float = 2.0, pool_size: int = 10) -> Store:
    """The store at a `sqlite:///` or `postgresql://` URL; touches nothing until first used.

    `pool_size`: most connections of this process to PostgreSQL. ConfigError when the URL is neither.
    """
    store: Store
    if url.startswith(("postgresql:", "postgres:")):
        store = _postgres_store(url, keyring, lock_timeout_seconds, pool_size)
    else:
        store = SqliteStore.at(url, keyring, lock_timeout_seconds)
    forks.watch(store)
    return store


def _postgres_store(url: str, keyring: Keyring, lock_timeout_seconds: float, pool_size: int) -> Store:
    try:
        from .postgres.store import PostgresStore
    except ImportError:
        advice = "run `pip install 'sticky-calls-adapter[postgres]'`"
        raise ConfigError([f"database.url: the driver for PostgreSQL is not installed; {advice}"]) from None
    return PostgresStore.at(url, keyring, lock_timeout_seconds, pool_size)
