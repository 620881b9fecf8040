"""`sticky-calls db drill`: a good backup is called good, and each way of being of no use is found."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from adapter.cli import main

pytestmark = pytest.mark.sqlite
KEY = {"id": "one", "key": base64.b64encode(bytes(range(32))).decode()}


@pytest.fixture
def backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one backup in it, of a database with one customer, whose values are sealed."""
    monkeypatch.chdir(tmp_path)
    settings(tmp_path, encryption_keys=[KEY])
    (tmp_path / "crm.jsonl").write_text('{"ani": "+14155550123", "variables": {"name": "Maria"}}\n', "utf-8")
    run("customers", "import", "crm.jsonl")
    (tmp_path / "backups").mkdir()
    assert run("db", "backup", "backups/calls-1.db").exit_code == 0
    return tmp_path / "backups"


def settings(folder: Path, **security: Any) -> None:
    written = {"security": {"pepper": "pepper-of-the-tests", **security}}
    (folder / "config.yaml").write_text(yaml.safe_dump(written), "utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def drill(folder: Path, *options: str) -> Result:
    return run("db", "drill", str(folder), *options)


def test_a_good_backup_is_restored_and_thrown_away(backups: Path, tmp_path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.db")}
    result = drill(backups, "--at-most-hours", "1", "--work-folder", str(tmp_path))
    assert (result.exit_code, "restored and sound" in result.stdout) == (0, True), result.output
    assert "1 customers, 0 calls" in result.stdout
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.db")} == before
    told = json.loads(drill(backups / "calls-1.db", "--json").stdout)
    assert (told["problems"], told["rows"]["variables"]) == ([], 1)


def test_of_a_folder_the_latest_is_taken(backups: Path) -> None:
    (backups / "calls-2.db").write_text("nothing")
    os.utime(backups / "calls-2.db", (time.time() + 5, time.time() + 5))
    result = drill(backups)
    assert (result.exit_code, "calls-2.db" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:20_000]), "disk image is malformed"),
        (lambda file: file.write_bytes(b""), "is no database of this product"),
        (lambda file: altered(file, "UPDATE alembic_version SET version_num = '9999'"), "newer version"),
        (lambda file: altered(file, "UPDATE variables SET sealed = x'ff00ff'"), "not in the form"),
        (lambda file: settings(file.parents[1]), "encryption keys of the time of the backup"),
        (lambda file: os.utime(file, (time.time() - 40 * 3600,) * 2), "is the backup timer running?"),
    ],
    ids=["cut off", "empty", "too new", "values changed", "other keys", "too old"],
)
def test_what_makes_a_backup_useless_is_found(backups: Path, harm: Any, told: str) -> None:
    harm(backups / "calls-1.db")
    result = drill(backups, "--at-most-hours", "30")
    assert (result.exit_code, told in result.output) == (1, True), result.output
    assert json.loads(drill(backups, "--at-most-hours", "30", "--json").stdout)["problems"]


def test_no_backup_at_all_is_told(backups: Path) -> None:
    (backups / "calls-1.db").unlink()
    result = drill(backups)
    assert (result.exit_code, "there is no backup" in result.stderr) == (1, True)


def altered(file: Path, sql: str) -> None:
    with sqlite3.connect(file) as database:
        database.execute(sql)
    database.close()
