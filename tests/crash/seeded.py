"""Servers with the bugs that a crash storm is there to find: something is done only after the answer has gone out.

Only for the positive control: a storm that reports nothing against these would be blind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from adapter.engine.model import Realm
from adapter.store import answers, meters
from adapter.store.database import Store
from adapter.store.sqlite.store import SqliteStore, SqliteTransaction
from adapter.store.transaction import Transaction
from tests import serving

# Longer than a transaction of a loaded machine: most kills then come between an answer and its commit.
_LATE_SECONDS = 0.05


def commits_late() -> Flask:
    """Answers first and commits later: whatever waits for its commit is lost with the process."""
    SqliteStore.begin = _late_begin  # type: ignore[assignment,method-assign]
    SqliteStore._transact = Store._transact  # type: ignore[method-assign]  # by way of `begin`
    return serving.build()


def charges_late() -> Flask:
    """Charges in a transaction of its own, after the effect's."""
    app = serving.build()
    meters.charge = _later(_store_of(app), meters.charge)
    return app


def keeps_answers_late() -> Flask:
    """Keeps the answer for an Idempotency-Key in a transaction of its own, after the effect's."""
    app = serving.build()
    answers.keep = _later(_store_of(app), answers.keep)
    return app


@contextmanager
def _late_begin(store: SqliteStore, realm: Realm, at_most_seconds: float | None = None) -> Iterator[Transaction]:
    store.lock.acquire()
    connection = store.connections.writer()
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield SqliteTransaction(connection, realm, store.keyring)
    except BaseException:
        connection.execute("ROLLBACK")
        store.lock.release()
        raise
    store.lock._owner = 0  # the lock goes on to another thread

    def finish() -> None:
        time.sleep(_LATE_SECONDS)
        connection.execute("COMMIT")
        store.lock.release()

    threading.Thread(target=finish).start()


def _later(store: Store, write: Callable[..., None]) -> Callable[..., None]:
    def soon(tx: Transaction, *what: Any) -> None:
        realm = tx.realm

        def run() -> None:
            time.sleep(_LATE_SECONDS)
            with store.begin(realm) as later:
                write(later, *what)

        threading.Thread(target=run).start()

    return soon


def _store_of(app: Flask) -> Store:
    store: Store = app.extensions["sticky-calls"].store
    return store
