"""`sticky-calls db`, against a real database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.app import create_app
from adapter.cli import main
from adapter.config import load
from adapter.store import clocks
from tests import databases
from tests.builders import Api, issue_key

KEY = "A" * 43 + "="
OTHER = "B" * 43 + "="


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def db(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["db", *arguments])


def with_keys(folder: Path, *keys: str) -> None:
    entries = ", ".join(f"{{id: key{at}, key: {key}}}" for at, key in reversed(list(enumerate(keys))))
    (folder / "config.yaml").write_text(f"security: {{encryption_keys: [{entries}]}}")


def test_upgrade_makes_the_database_and_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        result = db("upgrade")
        assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/sticky-calls.db is at this version.\n")


def test_check_finds_a_sound_database_sound(tmp_path: Path) -> None:
    db("upgrade")
    result = db("check")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/sticky-calls.db is sound and at this version.\n")


def test_check_does_not_make_what_is_missing(tmp_path: Path) -> None:
    result = db("check")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert not (tmp_path / "sticky-calls.db").exists()


def test_check_finds_damage(tmp_path: Path) -> None:
    db("upgrade")
    path = tmp_path / "sticky-calls.db"
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 2 : 4096 * 4] = b"\xff" * 8192
    path.write_bytes(damaged)
    result = db("check")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) > 1


def test_what_check_finds_is_told_as_json(tmp_path: Path) -> None:
    db("upgrade")
    result = db("check", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["problems"], told["rows"]["customers"]) == (0, [], 0)
    (tmp_path / "sticky-calls.db").unlink()
    gone = db("check", "--json")
    assert gone.exit_code == 1
    assert json.loads(gone.stdout)["problems"]


def test_whether_it_can_be_distributed_needs_the_driver_for_postgresql(tmp_path: Path) -> None:
    """In a process of its own, where nothing has been imported yet."""
    db("upgrade")
    without = "import sys; sys.modules['psycopg'] = None; from adapter.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "db", "check", "--distributed"], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: --distributed needs the driver for PostgreSQL; run `pip install 'sticky-calls-adapter[postgres]'`\n"
    )


def test_check_tells_whether_the_database_can_be_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    db("upgrade")
    result = db("check", "--distributed")
    assert (result.exit_code, "fit to be distributed: 13 tables" in result.stdout) == (0, True), result.output
    monkeypatch.setattr(clocks, "_SEEDED", "SELECT * FROM calls", raising=False)
    found = db("check", "--distributed")
    assert found.exit_code == 1
    assert "clocks._SEEDED: does not confine calls to one account" in found.stderr


def test_rekey_needs_a_key() -> None:
    result = db("rekey")
    assert result.exit_code == 1
    assert "there is no key in security.encryption_keys" in result.stderr


def test_rekey_brings_everything_under_the_newest_key_and_then_finds_nothing(tmp_path: Path) -> None:
    with_keys(tmp_path, KEY)
    app = create_app(load(tmp_path / "config.yaml", {}))
    started = Api(app.test_client(), issue_key(app, "default")).start("call_001", ani="+14155550123")
    assert started.status_code == 200
    app.extensions["sticky-calls"].store.close()
    with_keys(tmp_path, KEY, OTHER)
    result = db("rekey", "--batch", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Brought under key key1: ")
    assert "1 numbers" in result.stdout
    assert db("rekey").stdout == "Everything is under key key1 already.\n"


def test_compact_writes_the_file_anew_and_says_what_it_saved(tmp_path: Path) -> None:
    db("upgrade")
    result = db("compact")
    assert result.exit_code == 0
    assert "bytes before" in result.stdout


@pytest.mark.postgresql
def test_the_same_commands_look_after_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = databases.url_in(tmp_path)
    settings = {"DATABASE__URL": url, "DATABASE__POOL_SIZE": "2", "SECURITY__PEPPER": "pepper-of-the-tests"}
    for name, value in settings.items():
        monkeypatch.setenv(f"ADAPTER_{name}", value)
    for command, says in (("upgrade", "is at this version"), ("check", "is sound"), ("compact", "bytes now")):
        result = db(command)
        assert (result.exit_code, says in result.stdout) == (0, True), result.output
        assert result.stdout.startswith("postgresql://")
    assert list(tmp_path.iterdir()) == [], "nothing is kept beside a database that is elsewhere"
