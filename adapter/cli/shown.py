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
_LEAST_OF_WORD: Final = 6


def show_json(value: Any) -> None:
    """To stdout, to be read by people, too."""
    click.echo(json.dumps(value, indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """To stdout; None is an empty cell. Nothing is left out, as what is shown is given to other commands: in a narrow
    terminal words are broken, but for those of the first column, and in a narrower one each cell is a line."""
    cells = [[_cell(value) for value in row] for row in rows]
    console = Console(width=None if Console().is_terminal else _COLUMNS_WITHOUT_TERMINAL)
    if _least_width(columns, cells) > console.width:
        for place, row in enumerate(cells):
            lines = (f"{name}: {cell}".rstrip() for name, cell in zip(columns, row, strict=True))
            console.print(*(("",) if place else ()), *lines, sep="\n", highlight=False, soft_wrap=True)
        return
    first, *others = columns
    table = Table(Column(first, no_wrap=True), *(Column(each, overflow="fold") for each in others), box=None)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """What a table takes in which words are broken into parts that can be read."""
    first, *others = (max(map(len, each)) for each in zip(columns, *rows, strict=True))
    return first + sum(min(width, _LEAST_OF_WORD) for width in others) + 2 * len(columns)


def plain(text: str) -> str:
    """Fit for a terminal, which what callers, API clients or another server wrote must not be able to steer."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else escape(plain(str(value)))
