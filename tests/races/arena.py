"""Where races are run: a server with organizations for every kind of race, client processes, its database to look at.

A race's fault is a sentence; no faults, and the race went as it must.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import databases
from tests.builders import call_sid
from tests.races.racers import Racers, racers
from tests.serving import WORKER_HEADER, Request, Server, another_node, caller_number, line_number, serving, wait_for

UNLIMITED = "acme"
TINY = "tiny"
FREE = "free"
QUOTA = 10
WORKERS = 4
_USED = (
    "SELECT COALESCE(SUM(used), 0) FROM usage JOIN organizations USING (account) WHERE organizations.organization = ?"
)


@dataclass
class Arena:
    """Running nodes, the first of which speaks for all, and racers. `fresh` counts, so that no race meets another's
    callers or calls. `workers`: of all nodes."""

    server: Server
    racers: Racers
    organizations: tuple[str, ...]
    workers: int
    fresh: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _keys: dict[str, str] = field(default_factory=dict)

    def key(self, organization: str) -> str:
        """The organization's API key, made on first need."""
        if organization not in self._keys:
            self._keys[organization] = self.server.key(organization)
        return self._keys[organization]

    def number(self) -> str:
        """A caller who has never called."""
        return caller_number(next(self.fresh))

    def call_id(self) -> str:
        """A call that nobody has heard of, in Twilio's form."""
        return call_sid(next(self.fresh))

    def line(self, organization: str) -> str:
        """The number that this organization's callers dial."""
        return line_number(self.organizations.index(organization))

    def start(self, organization: str, call_id: str, ani: str) -> Request:
        return self.post(organization, "/v1/calls/start", {"call_id": call_id, "identity_hints": {"ani": ani}})

    def post(self, organization: str, path: str, body: Mapping[str, Any], **headers: str) -> Request:
        return Request("POST", path, {**self._headers(organization), **headers}, json.dumps(body))

    def get(self, organization: str, path: str) -> Request:
        return Request("GET", path, self._headers(organization))

    def rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """What the database says now, read by a connection that cannot write."""
        return databases.rows_at(self.server.database_url, sql, *values)

    def used(self, organization: str) -> int:
        """What the organization's account has been charged."""
        return int(self.rows(_USED, organization)[0][0])

    def _headers(self, organization: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key(organization)}", "Content-Type": "application/json"}


@contextmanager
def arena(
    folder: Path,
    rounds: int = 1,
    *,
    app: str = "tests.serving:build()",
    window: int = 1,
    database_url: str | None = None,
    nodes: int = 1,
) -> Iterator[Arena]:
    """4 workers with 16 threads each, so that nobody is refused for want of one, shared out to `nodes` machines, and 8
    client processes, ready: all have answered.

    `window`: seconds of the rate window. Each round has two organizations whose quota it can use up.
    """
    budgets = [name for place in range(rounds) for name in quotas_of(place)]
    organizations = (
        {"id": UNLIMITED, "tier": "unlimited"},
        {"id": TINY, "tier": "tiny"},
        {"id": FREE, "tier": "free", "monthly": "unlimited"},
        *({"id": name, "tier": "unlimited", "monthly": QUOTA} for name in budgets),
    )
    options: dict[str, Any] = {
        "tiers": {"tiny": {"per_minute": 20, "monthly": "unlimited"}},
        "limits": {"window_seconds": window},
    }
    options |= {"app": app, "database_url": database_url, "workers": WORKERS // nodes, "threads": 16}
    names = tuple(str(organization["id"]) for organization in organizations)
    with ExitStack() as opened:
        server = opened.enter_context(serving(folder, *organizations, **options))
        for number in range(1, nodes):
            (other := folder / f"node-{number}").mkdir()
            opened.enter_context(another_node(other, server))
        clients = opened.enter_context(racers())
        seen: set[str] = set()
        wait_for(lambda: _all_answer(server, seen), "every worker to answer")
        yield Arena(server, clients, names, WORKERS)


def quotas_of(place: int) -> tuple[str, str]:
    """The organizations whose quota this round uses up: by the API, by calls."""
    return f"api-quota-{place}", f"voice-quota-{place}"


def _all_answer(server: Server, seen: set[str]) -> bool:
    seen.add(server.send(Request("GET", "/v1/health", {})).headers[WORKER_HEADER.lower()])
    return len(seen) >= WORKERS
