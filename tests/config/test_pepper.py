"""A pepper that nobody configured is made once, kept beside the database and read by its owner alone."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from adapter.config import Config, DatabaseConfig, SecurityConfig
from adapter.config import pepper as pepper_module
from adapter.config.pepper import pepper_for
from adapter.errors import ConfigError


def config_in(folder: Path) -> Config:
    return Config(database=DatabaseConfig(f"sqlite:///{folder}/calls.db"))


def pepper_in(folder: str) -> bytes:
    return pepper_for(config_in(Path(folder)))


def test_a_configured_pepper_is_used_and_nothing_is_made(tmp_path: Path) -> None:
    config = Config(database=config_in(tmp_path).database, security=SecurityConfig(b"pepper" * 4))
    assert pepper_for(config) == b"pepper" * 4
    assert list(tmp_path.iterdir()) == []


def test_a_pepper_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first = pepper_for(config_in(tmp_path))
    finally:
        os.umask(before)
    assert len(first) >= 43
    assert pepper_for(config_in(tmp_path)) == first
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("calls.db.pepper", 0o600)


def test_every_database_has_its_own(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    assert pepper_for(config_in(tmp_path / "a")) != pepper_for(config_in(tmp_path / "b"))


@pytest.mark.slow
def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(8, mp_context=context) as pool:
        peppers = set(pool.map(pepper_in, [str(tmp_path)] * 32))
    assert len(peppers) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["calls.db.pepper"]


def test_who_comes_second_takes_the_firsts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and making, another process was faster."""
    file = tmp_path / "calls.db.pepper"

    def another_is_faster(draft: str, name: str) -> None:
        file.write_text("pepper-of-the-first")
        raise FileExistsError(17, "File exists")

    monkeypatch.setattr(pepper_module.os, "link", another_is_faster)
    assert pepper_for(config_in(tmp_path)) == b"pepper-of-the-first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_pepper_that_cannot_be_kept_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the pepper cannot be kept: No such file or directory; let this user"):
        pepper_for(config_in(tmp_path / "nowhere"))


def test_an_emptied_file_is_not_taken_for_a_pepper(tmp_path: Path) -> None:
    (tmp_path / "calls.db.pepper").write_text("\n")
    with pytest.raises(ConfigError, match="holds no pepper"):
        pepper_for(config_in(tmp_path))


def test_nodes_that_share_a_database_do_not_make_one_each() -> None:
    with pytest.raises(ConfigError, match=r"security\.pepper"):
        pepper_for(Config(database=DatabaseConfig("postgresql://u@host/db")))
