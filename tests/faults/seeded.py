"""Bugs made on purpose, each to be found by one of the commands of this package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from adapter.engine.model import Realm
from adapter.errors import StoreUnavailable
from adapter.store import journal, meters
from adapter.store.sqlite.store import SqliteStore
from adapter.store.transaction import Transaction
from tests import databases


def charges_apart() -> None:
    """The charge is committed in a transaction of its own, after its effect."""
    begin, charge, due = SqliteStore.begin, meters.charge, list[tuple[Realm, int]]()

    @contextmanager
    def begin_and_charge(store: SqliteStore, realm: Realm, at_most: float | None = None) -> Iterator[Transaction]:
        with begin(store, realm, at_most) as tx:
            yield tx
        while due:
            with begin(store, due[-1][0]) as tx:
                charge(tx, due.pop()[1])

    databases.replace_in_stores(pytest.MonkeyPatch(), "begin", begin_and_charge)
    meters.charge = lambda tx, period: due.append((tx.realm, period))


def keeps_without_writing() -> None:
    """What is kept in the inbox is said to be there before it is."""
    append, waiting = journal.Journal.append, list[Callable[[], object]]()

    def later(kept: journal.Journal, payload: bytes) -> bool:
        for each in waiting:
            each()
        waiting[:] = [lambda: append(kept, payload)]
        return True

    journal.Journal.append = later  # type: ignore[method-assign]


def takes_errors_for_success() -> None:
    """A commit that the disk refused is answered like any other."""
    begin = SqliteStore.begin

    @contextmanager
    def begin_and_hope(store: SqliteStore, realm: Realm, at_most: float | None = None) -> Iterator[Transaction]:
        with suppress(StoreUnavailable), begin(store, realm, at_most) as tx:
            yield tx

    databases.replace_in_stores(pytest.MonkeyPatch(), "begin", begin_and_hope)


SEEDED: dict[str, Any] = {
    each.__name__: each for each in (charges_apart, keeps_without_writing, takes_errors_for_success)
}
