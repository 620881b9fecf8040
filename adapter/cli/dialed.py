"""Which number is called, of which line, and by which account's webhooks: for commands that make or play calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import click

from adapter.config import Config
from adapter.engine.line import Line
from adapter.twilio.events import line_for

_NUMBER: Final = "+14155550100"
_MADE_UP_ACCOUNT: Final = "AC" + "0" * 32


@dataclass(frozen=True, slots=True)
class Dialed:
    """`account`: the AccountSid that webhooks of such a call have."""

    line: Line
    account: str
    number: str


def dialed(config: Config, number: str | None = None) -> Dialed:
    """The number as it is called, or the first line's. ClickException when no line takes it."""
    if not config.lines:
        raise click.ClickException("there is no line to call; add one under `lines` (see config.example.yaml)")
    number = number or _fitting(config.lines[0].number)
    named = [account.sid for account in config.twilio.accounts if account.sid != "*"]
    accounts = [line.account for line in config.lines if line.account != "*"] + named + [_MADE_UP_ACCOUNT]
    for account in dict.fromkeys(accounts):
        if (line := line_for(config.lines, account, number)) is not None:
            return Dialed(line, account, number)
    there = ", ".join(dict.fromkeys(line.number for line in config.lines))
    raise click.ClickException(f"no line is configured for {number}; there are {there}")


def _fitting(pattern: str) -> str:
    """A number that fits: patterns end with a star."""
    if not pattern.endswith("*"):
        return pattern
    prefix = pattern[:-1]
    return prefix + _NUMBER[len(prefix) :] if len(prefix) < len(_NUMBER) else prefix
