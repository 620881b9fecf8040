"""What happens to open stores when the process forks: SQLite forbids a connection to live on in a child.

Even a new connection of the child would share SQLite's per-file state with inherited ones, and take locks for granted
that only the parent has. So connections are closed before the fork, and the child starts with nothing.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING

from adapter.errors import StoreUnavailable

if TYPE_CHECKING:
    from .database import Store

_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_around: list[ExitStack] = []
# One fork at a time: two threads that forked at once would end each other's preparations.
_forking = threading.Lock()
_registered: list[bool] = []


def watch(store: Store) -> None:
    """From now on every fork leaves this store without connections in the child."""
    _stores.add(store)
    if not _registered:
        _registered.append(True)
        os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def _before() -> None:
    """Hold the writers up and close what is idle; nobody opens anything between here and the fork."""
    _forking.acquire()
    around = ExitStack()
    _around.append(around)
    for store in tuple(_stores):
        try:
            around.enter_context(store.lock.held())
        except (StoreUnavailable, RuntimeError):
            # Busy for too long, or forking inside a transaction: the child leaves the writer's connection alone.
            writing = True
        else:
            writing = False
        around.enter_context(store.connections.mutex)
        if not writing:
            store.connections.drop_writer()
        store.connections.close_readers()


def _in_parent() -> None:
    _around.pop().close()
    _forking.release()


def _in_child() -> None:
    _inherited.append(_around.pop())
    for store in tuple(_stores):
        store.lock.abandon()
        _inherited.append(store.connections)
        store.renew()
    _forking.release()


# Never closed: closing the parent's connection in a child can break the parent's file.
_inherited: list[object] = []
