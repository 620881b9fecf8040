"""Damage is looked for at the start, for no longer than a start may take."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapter.store.database import Store
from adapter.store.sqlite import soundness


def damage_a_page(path: Path) -> None:
    """Where the calls are. Call it on a database nobody has open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


def test_a_sound_database_is_found_sound(store: Store) -> None:
    assert soundness.damage(store, 5) == []


@pytest.mark.sqlite
def test_damage_is_found(store: Store, path: Path) -> None:
    store.close()
    damage_a_page(path)
    assert soundness.damage(store, 5) != []


@pytest.mark.sqlite
def test_the_search_ends_in_time(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.close()
    damage_a_page(path)
    monkeypatch.setattr(soundness, "_STEPS_BETWEEN_LOOKS", 1)
    assert soundness.damage(store, -1) == []


@pytest.mark.sqlite
def test_a_database_that_is_gone_is_told(store: Store, path: Path) -> None:
    store.close()
    path.unlink()
    assert soundness.damage(store, 5)[0].startswith("the database is gone")
