"""Which number a command calls that was told none: one of the first line, and never another line's."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from adapter.cli.dialed import dialed
from adapter.engine.line import Line
from tests.builders import a_config, a_line


def lines(*numbers: str) -> tuple[Line, ...]:
    return tuple(a_line(number=number) for number in numbers)


@pytest.mark.parametrize(
    "numbers",
    [
        ("+14155550100",),
        ("+1415*",),
        ("*",),
        ("+1415*", "+14155550100"),
        ("*", "+1*"),
        ("*", "+1*", "+44*"),
        ("+141555501000000*",),
    ],
    ids=", ".join,
)
def test_it_is_a_number_of_the_first_line(tmp_path: Path, numbers: tuple[str, ...]) -> None:
    config = a_config(tmp_path, lines=lines(*numbers))
    if numbers == ("*", "+1*", "+44*"):
        with pytest.raises(click.ClickException, match="say which"):
            dialed(config)
    else:
        assert dialed(config).line is config.lines[0]


def test_another_accounts_line_with_that_number_is_another_line(tmp_path: Path) -> None:
    first, other = lines("+14155550100", "+14155550100")
    config = a_config(tmp_path, lines=(a_line(number=first.number, account="*"), other))
    assert dialed(config).line is config.lines[0]


def test_a_number_that_was_told_is_called_as_it_is(tmp_path: Path) -> None:
    config = a_config(tmp_path, lines=lines("+1415*", "+14155550100"))
    assert dialed(config, "+14155550100").line is config.lines[1]
    with pytest.raises(click.ClickException, match="no line is configured"):
        dialed(config, "+4930123")
