"""Which number is called, of which line, and by which account's webhooks: for commands that make or play calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import click

from adapter.config import Config
from adapter.engine.line import Line
from adapter.twilio.events import line_for

# Made up, in two countries: one of them is left when other lines take the rest.
_NUMBERS: Final = ("+14155550100", "+14155550101", "+442079460100", "+442079460101")
_MADE_UP_ACCOUNT: Final = "AC" + "0" * 32


@dataclass(frozen=True, slots=True)
class Dialed:
    """`account`: the AccountSid that webhooks of such a call have."""

    line: Line
    account: str
    number: str


def dialed(config: Config, number: str | None = None) -> Dialed:
    """The number as it is called, or one of the first line, and of no other. ClickException when there is none."""
    if not config.lines:
        raise click.ClickException("there is no line to call; add one under `lines` (see config.example.yaml)")
    first = config.lines[0]
    for tried in _fitting(first.number) if number is None else (number,):
        for account in _accounts(config):
            line = line_for(config.lines, account, tried)
            if line is not None and (number is not None or line is first):
                return Dialed(line, account, tried)
    if number is None:
        raise click.ClickException(f"no number could be made up that line {first.number} takes; say which to call")
    there = ", ".join(dict.fromkeys(line.number for line in config.lines))
    raise click.ClickException(f"no line is configured for {number}; there are {there}")


def _accounts(config: Config) -> Iterable[str]:
    named = [account.sid for account in config.twilio.accounts if account.sid != "*"]
    return dict.fromkeys([line.account for line in config.lines if line.account != "*"] + named + [_MADE_UP_ACCOUNT])


def _fitting(pattern: str) -> Iterator[str]:
    """Numbers that fit: patterns end with a star."""
    if not pattern.endswith("*"):
        yield pattern
        return
    prefix = pattern[:-1]
    for number in _NUMBERS:
        yield prefix + number[len(prefix) :]
