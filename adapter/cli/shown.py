"""How commands show data: a table for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
# Piped into a file or a pager: nothing is cut off.
_COLUMNS_WITHOUT_TERMINAL: Final = 160


def show_json(value: Any) -> None:
    """To stdout, to be read by people, too."""
    click.echo(json.dumps(value, indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """To stdout; None is an empty cell. In a narrow terminal words are broken and nothing is left out: what is in the
    first column is given to other commands."""
    first, *others = columns
    table = Table(Column(first, no_wrap=True), *(Column(each, overflow="fold") for each in others), box=None)
    for row in rows:
        table.add_row(*map(_cell, row))
    Console(width=None if Console().is_terminal else _COLUMNS_WITHOUT_TERMINAL).print(table)


def plain(text: str) -> str:
    """Fit for a terminal, which what callers, API clients or another server wrote must not be able to steer."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else escape(plain(str(value)))
