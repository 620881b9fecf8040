"""PostgreSQL transactions that lose their connection when all of their work is done, once each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapter.store.database import Store
from adapter.store.postgres.batches import Batches


def interrupting_once_a_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on every first try fails and every second one is let through; in which account, in order of trying."""
    tried: list[int] = []
    real = store._alone_in

    @contextmanager
    def alone_in(account: int, batches: Batches, hurry: float | None) -> Iterator[None]:
        with real(account, batches, hurry):
            yield
            tried.append(account)
            if len(tried) % 2:
                batches.plainly("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(store, "_alone_in", alone_in)
    return tried
