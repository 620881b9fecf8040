"""`sticky-calls db copy`, against real databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from tests import databases
from tests.store.moving import contents
from tests.store.moving.conftest import a_database_in_use

pytestmark = pytest.mark.stores


@pytest.fixture
def old(tmp_path: Path) -> str:
    return a_database_in_use(tmp_path / "old.db")


@pytest.fixture
def new(tmp_path: Path) -> str:
    return databases.postgresql.bare() if databases.kind == "postgresql" else databases.url_in(tmp_path)


def copy(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["db", "copy", *arguments])


def everything(url: str) -> contents.Everything:
    store = open_store(url, Keyring())
    found = contents.everything(store)
    store.close()
    return found


def test_a_move_is_a_copy_then_its_end(old: str, new: str) -> None:
    ready = copy("--from", old, "--to", new)
    assert ready.exit_code == 0, ready.output
    assert "Both are equal, table by table" in ready.stdout
    assert "customers" in ready.stdout
    store = open_store(old, Keyring())
    contents.use(store, 5)
    done = copy("--from", old, "--to", new, "--finish")
    assert done.exit_code == 0, done.output
    assert "takes no more writes; writers waited" in done.stdout
    assert "security.pepper" in done.stdout
    assert everything(new) == everything(old)
    again = copy("--from", old, "--to", new, "--finish")
    assert (again.exit_code, "nothing left to do" in again.stdout) == (0, True)
    store.close()


def test_what_was_copied_is_told_as_json(old: str, new: str) -> None:
    told = json.loads(copy("--from", old, "--to", new, "--json").stdout)
    assert (told["state"], told["stopped_seconds"]) == ("ready", None)
    assert told["tables"]["organizations"]["rows"] == 2
    assert len(told["tables"]["customers"]["checksum"]) == 32
    done = json.loads(copy("--from", old, "--to", new, "--finish", "--json").stdout)
    assert (done["state"], done["tables"]) == ("finished", told["tables"])
    assert done["stopped_seconds"] >= 0


def test_a_refusal_is_exit_code_1(old: str, new: str, tmp_path: Path) -> None:
    other = a_database_in_use(tmp_path / "other.db")
    refused = copy("--from", old, "--to", other)
    assert (refused.exit_code, "is not empty" in refused.stderr) == (1, True)
    assert everything(other) != {}


@pytest.mark.parametrize("url", ["sqlite:///missing/x.db", "postgresql://me@127.0.0.1:1/calls"])
def test_a_database_that_is_away_is_exit_code_3(old: str, url: str) -> None:
    for arguments in (("--from", old, "--to", url), ("--from", url, "--to", old)):
        away = copy(*arguments)
        assert (away.exit_code, "Run it again" in away.stderr) == (3, True), away.output


def test_a_copy_can_be_abandoned(old: str, new: str) -> None:
    copy("--from", old, "--to", new, "--finish")
    assert copy("--from", old, "--abandon").stdout == "The copy is forgotten.\n"
    assert copy("--from", old, "--abandon").stdout == "There is no copy of it.\n"


@pytest.mark.parametrize("wrong", [(), ("--abandon", "--finish"), ("--abandon", "--to", "sqlite:///x.db")])
def test_what_makes_no_sense_is_a_mistake_of_usage(old: str, wrong: tuple[str, ...]) -> None:
    assert copy("--from", old, *wrong).exit_code == 2


@pytest.mark.sqlite
def test_a_misspelt_file_is_no_database_that_comes_back(tmp_path: Path) -> None:
    """Nobody has to run it again, and nothing is made beside it."""
    result = copy("--from", f"sqlite:///{tmp_path}/odl.db", "--to", f"sqlite:///{tmp_path}/new.db")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: there is no database {tmp_path}/odl.db: is --from right?\n",
    )
    assert not list(tmp_path.glob("odl*")) + list(tmp_path.glob("new*"))


@pytest.mark.parametrize(("option", "at"), [("--from", 0), ("--to", 1)])
@pytest.mark.parametrize("wrong", ["mysql://host/calls", "postgresql://host/calls?nonsense=1"])
def test_an_address_of_no_database_is_told_by_its_option(
    old: str, tmp_path: Path, option: str, at: int, wrong: str
) -> None:
    urls = [old, f"sqlite:///{tmp_path}/new.db"]
    urls[at] = wrong
    result = copy("--from", urls[0], "--to", urls[1])
    assert (result.exit_code, f"Invalid value for {option}:" in result.stderr) == (2, True), result.output
    assert "database.url" not in result.stderr
