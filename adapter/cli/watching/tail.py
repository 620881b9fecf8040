"""`sticky-calls tail`: calls as they happen, in the terminal. It looks into the database once a second.

Leaves out: which calls are looked at (`following`), what is worth telling of them (`happenings`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from adapter.cli.configured import config_option, configured, in_service, realms_of, realms_option
from adapter.cli.shown import plain
from adapter.clock import Clock
from adapter.engine.model import Millis
from adapter.web.rest.render import timestamp

from .following import Follower, Seen

_EVERY_SECONDS: Final = 1.0
_SHOWN_OF_ID: Final = 8
_STYLES: Final = {"verified": "green", "rejected": "red", "hung_up": "dim", "ended": "dim"}
_OF_RECOMMENDATION: Final = {"reuse": "bold green", "confirm": "bold yellow", "ignore": "bold"}


@click.command(epilog="Example:  sticky-calls tail --organization default")
@click.option("--calls", "-n", "latest", type=click.IntRange(0, 500), default=10, show_default=True, help="Of before.")
@click.option("--no-follow", is_flag=True, help="Show the latest calls, and end.")
@realms_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")
@config_option
def tail(
    latest: int, no_follow: bool, organization: str | None, mode: str | None, as_json: bool, path: Path | None
) -> None:
    """Watch calls as they happen: how callers are recognized, what they are asked, where they go. Ctrl-C ends it.

    No caller is shown: only the number that was called, and the end of the call's id.
    """
    with in_service(configured(path)) as service:
        printer = _Printer(as_json, service.clock)
        follower = Follower(service, realms_of(service, organization, mode))
        with suppress(KeyboardInterrupt):
            before = list(follower.begin(latest))
            if latest and not before and not as_json:
                click.echo("There were no calls yet." if no_follow else "No calls yet. Waiting for them …", err=True)
            printer.show(before)
            while not no_follow:
                time.sleep(_EVERY_SECONDS)
                printer.show(follower.look())


@dataclass(frozen=True)
class _Printer:
    """A line for everything that happens; flushed, as somebody may be reading it from a pipe."""

    as_json: bool
    clock: Clock
    console: Console = field(default_factory=lambda: Console(soft_wrap=True, highlight=False))

    def show(self, news: Iterable[Seen]) -> None:
        """A line each."""
        for seen in news:
            if self.as_json:
                click.echo(json.dumps(_as_dict(seen)))
            else:
                self.console.print(_line(seen, self.clock.now()))
        self.console.file.flush()


def _line(seen: Seen, now: Millis) -> Text:
    call, happening = seen.call, seen.happening
    at, today = (datetime.fromtimestamp(millis / 1_000, UTC).astimezone() for millis in (happening.at, now))
    day = "" if at.date() == today.date() else f"{at:%Y-%m-%d} "
    line = Text(plain(f"{day}{at:%H:%M:%S}  {call.dnis or '-':16} …{call.call_id[-_SHOWN_OF_ID:]}  "))
    style = _STYLES.get(happening.kind, "")
    if happening.kind == "started" and call.identity is not None:
        style = _OF_RECOMMENDATION[call.identity.recommendation.value]
    return line.append(plain(happening.told), style)


def _as_dict(seen: Seen) -> dict[str, object]:
    call, happening, identity = seen.call, seen.happening, seen.call.identity
    return {
        "at": timestamp(happening.at),
        "event": happening.kind,
        "call_id": call.call_id,
        "organization": seen.principal.organization,
        "mode": seen.principal.mode.value,
        "dnis": call.dnis,
        "recommendation": None if identity is None else identity.recommendation.value,
        "confidence": None if identity is None else identity.confidence,
        "place": None if call.talk is None else call.talk.place.value,
        "destination": None if call.talk is None else call.talk.destination or None,
        "intent": None if call.talk is None else call.talk.intent or None,
    }
