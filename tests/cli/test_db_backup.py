"""`sticky-calls db backup` and `db restore`, as typed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.db.backup import _remarks
from adapter.store.sqlite.restore import Restored
from tests import databases


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def db(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["db", *arguments])


def test_a_backup_is_made_and_put_back(tmp_path: Path) -> None:
    db("upgrade")
    made = db("backup", "copy.db")
    assert (made.exit_code, made.stdout.startswith("copy.db: ")) == (0, True), made.output
    assert "the pepper and security.encryption_keys" in made.stderr
    again = db("backup", "copy.db")
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: copy.db exists: name another file, or say that it may be replaced\n",
    )
    told = json.loads(db("backup", "copy.db", "--replace", "--json").stdout)
    assert told == {"file": "copy.db", "bytes": (tmp_path / "copy.db").stat().st_size}
    back = db("restore", "copy.db")
    assert (back.exit_code, back.stdout) == (0, f"{tmp_path}/sticky-calls.db is what copy.db was.\n")
    assert "is kept as" in back.stderr
    assert db("check").exit_code == 0


@pytest.mark.parametrize("name", ["sticky-calls.db", "another-name.db"])
def test_the_database_is_no_backup_of_itself(name: str, tmp_path: Path) -> None:
    """The service would go on writing to a file that has no name any more."""
    db("upgrade")
    database = tmp_path / "sticky-calls.db"
    if not (tmp_path / name).exists():
        (tmp_path / name).symlink_to(database)
    before = database.stat().st_ino
    made, put_back = db("backup", name, "--replace"), db("restore", name)
    assert (made.exit_code, made.stderr) == (1, f"Error: {name} is the database itself: name another file\n")
    assert (put_back.exit_code, put_back.stderr) == (
        1,
        f"Error: {name} is the database itself: name a backup of it\n",
    )
    assert database.stat().st_ino == before
    assert sorted(each.name for each in tmp_path.glob("*.before-restore-*")) == []


def test_what_cannot_be_put_back_or_saved_is_called_by_its_own_name(tmp_path: Path) -> None:
    missing = db("backup", "copy.db")
    assert missing.exit_code == 1
    assert missing.stderr.startswith(f"Error: there is no database {tmp_path}/sticky-calls.db: ")
    db("upgrade")
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at as one. " * 20)
    with closing(sqlite3.connect("theirs.db")) as theirs:
        theirs.execute("CREATE TABLE theirs (x)")
    assert db("restore", "text.db").stderr.startswith("Error: text.db: the database cannot be used: ")
    assert db("restore", "theirs.db").stderr == "Error: theirs.db is no database of this product\n"


def test_restoring_tells_a_script_what_was_done(tmp_path: Path) -> None:
    db("upgrade")
    db("backup", "copy.db")
    (tmp_path / "sticky-calls.db").unlink()
    told = json.loads(db("restore", "copy.db", "--json").stdout)
    name = f"{tmp_path}/sticky-calls.db"
    assert told == {"database": name, "aside": None, "erased": 0, "revoked": 0, "made": 0, "unasked": None}


def test_what_was_carried_over_and_what_could_not_be_is_told() -> None:
    assert _remarks(Restored(None)) == []
    remarks = _remarks(Restored(Path("old.db"), 2, 1, 3, "it is damaged"))
    assert "kept as old.db" in remarks[0]
    assert "2 customers erased, 1 keys revoked and 3 keys made" in remarks[1]
    assert remarks[2].endswith("it is damaged")


@pytest.mark.postgresql
@pytest.mark.parametrize(("command", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_postgresql_s_own_tools_are_named(
    command: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.url_in(tmp_path)
    monkeypatch.setenv("ADAPTER_DATABASE__URL", url)
    monkeypatch.setenv("ADAPTER_SECURITY__PEPPER", "pepper-of-the-tests")
    (tmp_path / "copy").touch()
    result = db(command, "copy")
    assert result.exit_code == 1
    assert tool in result.stderr
    assert (tmp_path / "copy").read_bytes() == b""
