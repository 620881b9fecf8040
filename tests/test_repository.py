"""The repository tells the truth about itself: README, layout, lock, sizes, words for every rule."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapter.cli import main
from adapter.web.rest.words import SENTENCES, WAYS_UP

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MODULES = [path for path in sorted((ROOT / "adapter").rglob("*.py")) if "migrations" not in path.parts]
TOP_LEVEL = {"pyproject.toml", "README.md", "adapter", "tests", "deploy", "config.example.yaml", "LICENSE"}


def test_the_top_level_is_the_fixed_one() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize(
    "name",
    [
        *("config.yaml", "recordings/calls.jsonl", "sticky-calls.state/inbox/0"),
        *("sticky-calls.db", "sticky-calls.db-wal", "sticky-calls.db.lock", "sticky-calls.db.pepper"),
        *("sticky-calls.db.inbox/0", "sticky-calls.db.before-restore-20260207T103000Z"),
    ],
)
def test_what_the_readme_has_a_clone_hold_is_not_committed(name: str) -> None:
    """Tokens, the pepper, and callers' data, waiting or recorded."""
    ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode != 1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_a_room_and_a_function_a_look(path: Path) -> None:
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert source.count("\n") <= 300
    assert ast.get_docstring(tree) or path.name == "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def commands(group: click.Group, name: str = "sticky-calls") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for sub in group.list_commands(context):
        command = group.get_command(context, sub)
        assert command is not None
        yield f"{name} {sub}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {sub}")


ALL_COMMANDS = dict(commands(main))


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    words = name.split()
    row = next((line for line in README.splitlines() if line.startswith(f"| `sticky-calls {words[1]}")), "")
    assert row, "no row in README's table"
    assert len(words) == 2 or re.search(rf"[ |\\]{words[2]}\b", row.split("` |")[0])


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = ALL_COMMANDS[name]
    assert command.help
    assert "Example:" in (command.epilog or ""), name


def test_every_status_the_api_gives_is_in_the_readme() -> None:
    names = ("rest/problems.py", "openapi/operations.py")
    source = "".join((ROOT / "adapter/web" / name).read_text("utf-8") for name in names)
    given = set(re.findall(r"\b(4\d\d|50[03])\b", source))
    told = set(re.findall(r"^\| (\d{3}) \|", README, re.MULTILINE))
    assert given - {"415"} <= told
    assert {"400", "401", "402", "409", "429", "500"} <= told


def test_every_rule_of_the_engine_has_its_sentence() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "adapter").glob("[eu]*/**/*.py"))
    kinds = "customer_ref|external_id|ani|recency|cap|candidate|verdict"
    rules = set(re.findall(rf'"((?:{kinds})\.[a-z_]+)"', source))
    assert rules
    assert rules <= SENTENCES.keys()
    assert {"ani.withheld", "ani.missing", "ani.not_dialable", "ani.caller_id_failed"} <= SENTENCES.keys()
    assert WAYS_UP.keys() == {"ani", "line_type", "external_id", "customer_ref", "verdict"}


def test_files_that_readme_links_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
