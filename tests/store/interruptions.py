"""PostgreSQL transactions that lose their connection when all of their work is done, once each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapter.engine.model import Realm
from adapter.store.database import Store, Transaction


def interrupting_once_a_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Realm]:
    """From now on every first try fails and every second one is let through; where, in the order of trying."""
    tried: list[Realm] = []
    real = store.begin

    @contextmanager
    def begin(realm: Realm, at_most_seconds: float | None = None) -> Iterator[Transaction]:
        with real(realm, at_most_seconds) as tx:
            yield tx
            tried.append(realm)
            if len(tried) % 2:
                tx._plainly("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(store, "begin", begin)
    return tried
