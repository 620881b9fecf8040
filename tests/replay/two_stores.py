"""A recorded day, played again on PostgreSQL: the morning's memory is moved there first, by `db copy`'s own means."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapter.cli import main
from adapter.cli.replay import fresh
from adapter.config import Config, DatabaseConfig
from adapter.store.moving import Copying
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from tests.replay.day import Day


def replayed(day: Day, *options: str) -> dict[str, Any]:
    """What `replay --fresh` tells, on a SQLite file of its own; without how long it took."""
    asked = ["replay", str(day.recording), "--fresh", "--config", str(day.config), "--json", *options]
    result = CliRunner().invoke(main, asked)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return {name: found for name, found in told.items() if name not in ("seconds", "latency_ms")}


def replayed_on(url: str, day: Day, folder: Path) -> dict[str, Any]:
    """What it tells when its app stands on the empty database at this URL."""
    move(day.memory, url, folder)
    real = fresh._apart

    def apart(config: Config, file: Path) -> Config:
        return replace(real(config, file), database=DatabaseConfig(url, state_dir=str(folder / "state")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fresh, "_apart", apart)
        return replayed(day)


def move(memory: Path, url: str, folder: Path) -> None:
    """Everything in the SQLite file into the empty database; the file itself stays as it is."""
    copy = folder / "moved.db"
    shutil.copy(memory, copy)
    old, new = open_store(f"sqlite:///{copy}", Keyring()), open_store(url, Keyring())
    with closing(old), closing(new):
        copying = Copying(old, new, lambda step: None)
        assert copying.begin()
        copying.copy()
        copying.finish()
