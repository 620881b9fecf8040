"""The same recorded day is answered the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests import databases
from tests.replay.day import a_day
from tests.replay.two_stores import replayed, replayed_on


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_day_recorded_on_sqlite_is_answered_the_same_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(databases, "kind", "sqlite")
        day = a_day(tmp_path, 40, seed=5)
    url = databases.postgresql.bare()
    told = replayed_on(url, day, tmp_path)
    assert (told["different"], told["differences"], told["troubles"]) == (0, [], {})
    assert told == replayed(day, "--memory", str(day.memory)), "to the byte, where it is that on SQLite"
    assert told["same_bytes"] > 150
    assert databases.rows_at(url, "SELECT count(*) FROM calls")[0][0] >= 40, "control: that is where it was played"


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_memory_that_was_not_moved_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what PostgreSQL remembers of the morning shows in the answers."""
    with monkeypatch.context() as patch:
        patch.setattr(databases, "kind", "sqlite")
        day = a_day(tmp_path, 40, seed=5)
    empty = tmp_path / "empty.db"
    empty.write_bytes(databases.migrated().read_bytes())
    told = replayed_on(databases.postgresql.bare(), dataclasses.replace(day, memory=empty), tmp_path)
    assert told["different"] > 10
