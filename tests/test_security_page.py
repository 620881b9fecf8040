"""deploy/security.md names a test for what it says, and the tests are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from adapter.web.rest import body, fields, schemas
from adapter.web.rest.guessing import FREE_GUESSES, SECONDS_A_GUESS
from adapter.web.webhooks import genuine

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "deploy" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
# What an item may have in place of a test: who sees to it.
_ELSEWHERE = ("static analysis", "your", "deploy/", "systemd", "sslmode")


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def rows(pattern: str) -> dict[str, list[str]]:
    """By what they begin with."""
    return {found[1]: row for row in ROWS if (found := re.match(rf"\| ({pattern})", row[0]))}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_that_is_named_is_there(path: str, name: str) -> None:
    assert (ROOT / path).exists()
    assert not name or name in functions(path)


def test_a_test_that_is_not_there_is_found() -> None:
    """The positive control."""
    assert "test_that_is_not_there" not in functions("tests/test_logs.py")
    assert len(NAMED) > 50


def test_all_ten_risks_have_a_test() -> None:
    found = rows(r"API\d+")
    assert set(found) == {f"API{number}" for number in range(1, 11)}
    assert all("`tests/" in row[2] for row in found.values())


def test_every_item_has_a_test_or_says_who_sees_to_it() -> None:
    found = rows(r"\d+\.\d+\.\d+")
    assert len(found) > 60
    for item, row in found.items():
        assert len(row) == 3, row
        assert "`tests/" in row[2] or any(word in row[2] for word in _ELSEWHERE), item


@pytest.mark.parametrize(
    "shown",
    [
        f"{body.MAX_BYTES // 1024} KiB",
        f"{body.MAX_DEPTH} deep",
        f"1 024 characters; {schemas.MAX_EXTERNAL_IDS} ",
        f"| {schemas.MAX_INTENTS} and {schemas.MAX_VARIABLES} |",
        f"| {fields.MAX_RESOLUTION:,} characters".replace(",", " "),
        f"| {genuine._MAX_BYTES // 2**20} MiB (as JSON {genuine._MAX_JSON_BYTES // 1024} KiB), ",
        f"{genuine._MAX_FIELDS // 1000} 000 fields",
        f"{FREE_GUESSES} at once, one in {SECONDS_A_GUESS} s",
    ],
)
def test_the_limits_are_those_of_the_code(shown: str) -> None:
    assert shown in PAGE
