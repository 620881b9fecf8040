"""The command as a whole: its help, its version, and mistakes told without a traceback."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from adapter import __version__
from adapter.cli import _COMMANDS, main
from tests.cli.full_disk import needs_one, told_to_a_full_disk


def commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command, groups too."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"Example: +(ADAPTER_API_KEY=… )?sticky-calls ", result.stdout)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_no_option_takes_a_secret(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    options = {option for parameter in command.params for option in parameter.opts}
    assert not options & {"--key", "--api-key", "--secret", "--token", "--pepper", "--auth-token", "--password"}


# They do something, talk with somebody or write a file; what they say is for people.
_SHOW_NO_DATA = {
    *("serve", "demo", "check-config", "import", "fixture", "keys revoke", "customers export"),
    *("customers forget", "db upgrade", "db compact", "db rekey", "call start", "call end", "call show"),
}


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_that_shows_data_has_json(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        below = command.get_command(click.Context(command), name)
        assert below is not None
        command = below
    if not isinstance(command, click.Group):
        has = "--json" in {option for parameter in command.params for option in parameter.opts}
        assert has != (" ".join(path) in _SHOW_NO_DATA)


@pytest.mark.parametrize("path", [("orgs",), ("quota",), ("usage",), ("stats",), ("keys", "list")], ids=" ".join)
def test_without_a_terminal_there_are_no_colours(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORCE_COLOR", "")
    result = CliRunner().invoke(main, list(path))
    assert (result.exit_code, "\x1b" in result.output) == (0, False)


def test_the_list_of_commands_says_what_each_does() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert all(name in shown for name in _COMMANDS)
    assert "Make, list, revoke and rotate API keys." in shown


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"sticky-calls, version {__version__}\n"


def test_an_unknown_command_is_a_mistake_of_usage() -> None:
    assert CliRunner().invoke(main, ["srve"]).exit_code == 2


@pytest.mark.parametrize(
    "command", [["db", "check"], ["keys", "list"], ["keys", "create"], ["serve"], ["check-config"]]
)
def test_every_command_tells_all_mistakes_of_the_configuration(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("server: {workers: 0}\nlogin: x\n")
    named = [str(path)] if command == ["check-config"] else ["--config", str(path)]
    result = CliRunner().invoke(main, [*command, *named])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0] == "Error: the configuration has 2 mistakes:"
    assert len(result.stderr.splitlines()) == 3


def test_it_runs_as_a_module_and_help_needs_no_store() -> None:
    code = (
        "import runpy, sys; sys.argv = ['x', '--version']\n"
        "try: runpy.run_module('adapter', run_name='__main__')\n"
        "except SystemExit as end: assert end.code in (0, None)\n"
        "assert not {'sqlalchemy', 'flask', 'gunicorn', 'twilio'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"sticky-calls, version {__version__}\n"), done.stderr


def test_what_the_store_cannot_do_is_told_in_a_sentence(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    environ = {"ADAPTER_DATABASE__URL": f"sqlite:///{tmp_path}/other.db"}
    result = CliRunner(env=environ).invoke(main, ["db", "upgrade"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: the file is a database of something else: give database.url another file\n"


@needs_one
@pytest.mark.parametrize("command", ["preview --help", "orgs", "keys list --json", "check-config --effective"])
def test_a_full_disk_is_told_in_one_line(command: str, tmp_path: Path) -> None:
    done = told_to_a_full_disk(*command.split(), folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "no space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(main, ["db", "upgrade"]).exit_code == 0
    assert runner.invoke(main, ["db", "backup", "copy.db"]).exit_code == 0
    done = runner.invoke(main, ["db", "drill", "copy.db", "--work-folder", "/proc"])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert re.fullmatch(r"Error: /proc/\S+: no such file or directory\n", done.stderr)


@pytest.mark.parametrize(
    "command", ["stats", "orgs", "usage", "quota", "tail --no-follow", "keys list", "customers find a=b"]
)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere/calls.db", "nowhere/calls.db"),
        ("folder", "folder"),
        ("text.db", "the database cannot be used: file is not a database ("),
        ("theirs.db", "the file is a database of something else: give database.url another file"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_one_sentence(
    command: str, name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at as one. " * 20)
    with closing(sqlite3.connect("theirs.db")) as theirs:
        theirs.execute("CREATE TABLE theirs (x)")
    environ = {"ADAPTER_DATABASE__URL": f"sqlite:///{name}", "ADAPTER_SECURITY__PEPPER": "pepper-of-the-tests"}
    done = subprocess.run(
        [sys.executable, "-m", "adapter", *command.split()],
        env=os.environ | environ,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("command", ["keys list", "keys create", "stats", "customers find a=b"])
def test_that_an_empty_database_was_made_is_told_once(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has left out --config, or is in another folder, would take it for their own."""
    monkeypatch.chdir(tmp_path)
    note = f"note: there was no database {tmp_path}/sticky-calls.db: an empty one was made\n"
    assert note in CliRunner().invoke(main, command.split()).stderr
    assert "note:" not in CliRunner().invoke(main, command.split()).output
