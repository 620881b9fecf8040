"""How far back: `24h`, `7d`, `30m`, or an instant such as 2026-02-07 or 2026-02-07T10:30Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from adapter.engine.model import Millis
from adapter.engine.policy import DAY, HOUR, MINUTE

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
# Nothing is older than the epoch, and what follows the year 9999 cannot be written.
_FIRST, _LAST = 0, 253_402_300_799_999


class Since(click.ParamType[Millis | str]):
    """Gives a function of now: the instant that is meant, in epoch milliseconds."""

    name = "since"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Millis | str:
        """An instant, or the text of a time ago, which `instant` counts from now."""
        if _AGO.fullmatch(value):
            return value
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a time ago (24h, 7d, 30m) nor a date (2026-02-07)", param, ctx)
        return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1_000)


def instant(since: Millis | str, now: Millis) -> Millis:
    """What `Since` gave, as an instant."""
    return min(max(_FIRST, since if isinstance(since, int) else now - _milliseconds(since)), _LAST)


def _milliseconds(ago: str) -> Millis:
    found = _AGO.fullmatch(ago)
    assert found is not None
    return int(found[1]) * _UNITS[found[2]]
