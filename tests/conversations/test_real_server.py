"""The same table on a real server: gunicorn with two workers, HTTP, signatures, the store on disk."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapter.replay import HttpExchange
from tests.builders import AUTH_TOKEN
from tests.serving import Request, Server, serving

from .row import Row
from .table import TABLE
from .test_table import as_told, opened, played
from .world import SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]


@dataclass(frozen=True, slots=True)
class Answer:
    """What `tests.builders.Api` reads of an answer."""

    status_code: int
    json: Any


@dataclass(frozen=True, slots=True)
class RemoteApi:
    """The REST API over HTTP."""

    server: Server
    key: str

    def end(self, call_id: str, **body: Any) -> Answer:
        return self._ask("POST", "/v1/calls/end", json.dumps({"call_id": call_id, **body}))

    def call(self, call_id: str) -> Answer:
        return self._ask("GET", f"/v1/calls/{call_id}")

    def customer(self, ref: str) -> Answer:
        return self._ask("GET", f"/v1/customers/{ref}")

    def _ask(self, method: str, path: str, body: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        reply = self.server.send(Request(method, path, headers, body))
        return Answer(reply.status, json.loads(reply.body))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Written anew: YAML would make aliases of what is shared, and the configuration takes none.
    with serving(tmp_path_factory.mktemp("server"), workers=2, **json.loads(json.dumps(SETTINGS))) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> RemoteApi:
    return RemoteApi(server, server.key("acme"))


@pytest.mark.parametrize("row", TABLE, ids=[row.name.replace(" ", "-") for row in TABLE])
def test_a_conversation_with_a_real_server(server: Server, api: RemoteApi, row: Row) -> None:
    exchange = HttpExchange(server.url, AUTH_TOKEN)
    try:
        transcript, told = played(exchange, api, row, server.url)  # type: ignore[arg-type]
    finally:
        exchange.close()
    as_told(row, transcript, told)
    assert opened(api, told) == row.opens  # type: ignore[arg-type]


def test_the_server_is_a_real_one(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/v1/health")
    assert connection.getresponse().headers["Server"] == "gunicorn"
    connection.close()
    assert len(server.worker_pids()) == 2
