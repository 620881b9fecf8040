"""`sticky-calls stats`: the calls of a time, counted. Reads what is kept of calls, a page at a time.

Leaves out: calls of which nothing is kept (greeted neutrally at a limit, or while the database was away): `/metrics`
counts those, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from adapter.cli.configured import config_option, configured, in_service, realms_of, realms_option
from adapter.cli.shown import AS_JSON, plain, show_json
from adapter.engine.model import Call, Millis
from adapter.store import calls as stored
from adapter.usecases import Service
from adapter.web.rest.render import timestamp

from .periods import Since, instant
from .tally import Tally

_PAGE = 500


@click.command(epilog="Example:  sticky-calls stats --since 7d --json")
@click.option("--since", type=Since(), default="24h", show_default=True, help="24h, 7d, 30m, or a date.")
@realms_option
@AS_JSON
@config_option
def stats(since: Millis | str, organization: str | None, mode: str | None, as_json: bool, path: Path | None) -> None:
    """Count the calls since then: what was recommended, how sure that was, what callers wanted, how long it took.

    Each call as it stands now: who was verified in it counts as sure. Calls are kept for retention.calls_days. No
    caller is named.
    """
    tally = Tally()
    with in_service(configured(path)) as service:
        began = instant(since, service.clock.now())
        for call in _calls(service, organization, mode, began):
            tally.add(call)
    if as_json:
        show_json({"since": timestamp(began), **tally.as_dict()})
        return
    click.echo(f"Calls since {timestamp(began)[:16].replace('T', ' ')} UTC")
    for line in tally.lines():
        click.echo(plain(line))


def _calls(service: Service, organization: str | None, mode: str | None, since: Millis) -> Iterator[Call]:
    for principal in realms_of(service, organization, mode):
        place, after = since - 1, ""
        while True:
            with service.store.read(principal.realm) as tx:
                page = stored.begun_after(tx, place, after, _PAGE)
            yield from page
            if len(page) < _PAGE:
                break
            place, after = page[-1].started_at, page[-1].call_id
