"""What happens to open stores when the process forks: no connection lives on in a child.

SQLite forbids it (even a new connection of the child would share SQLite's per-file state with inherited ones, and take
locks for granted that only the parent has), and two processes on one socket to PostgreSQL would read each other's
answers. So each store is brought to rest before the fork, and the child starts with nothing.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import ExitStack

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
    _forking.acquire()
    around = ExitStack()
    _around.append(around)
    for store in tuple(_stores):
        store.hold_still(around)


def _in_parent() -> None:
    _around.pop().close()
    _forking.release()


def _in_child() -> None:
    _inherited.append(_around.pop())
    _inherited.extend(store.leave_behind() for store in tuple(_stores))
    _forking.release()


# Never closed: closing the parent's connection in a child can break the parent's.
_inherited: list[object] = []
