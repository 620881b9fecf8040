"""Briefly what `python -m tests.abuse fairness|slow` does at length: a flood holds nobody else up, and what there is
against slow connections is needed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
from contextlib import ExitStack
from http.client import HTTPResponse

import pytest

from tests import caddy
from tests.abuse import fairness, slow

pytestmark = pytest.mark.slow
# This machine does something else beside; the figures that count are of the long run.
_PATIENT_MS = 3_000.0
_NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def test_a_flood_of_one_organization_does_not_starve_another() -> None:
    found = fairness.examine(1, floods=("over its rate",), most_ms=_PATIENT_MS)
    assert found.faults == {}
    assert found.told["over its rate: flood, requests/s"] > 10


def test_a_server_in_which_a_flood_takes_all_threads_is_found() -> None:
    assert "the quiet one waits" in fairness.examine(1, bug=True, floods=("over its rate",), most_ms=_PATIENT_MS).faults


@pytest.mark.skipif(_NGINX is None, reason="nginx is not installed here")
def test_slow_connections_hold_up_the_shipped_nginx_and_nobody_else() -> None:
    found = slow.examine(100, 2).faults
    # How fast is for the long run.
    assert set(found) <= {"good calls are slow"}


@pytest.mark.skipif(caddy.PROGRAM is None, reason="Caddy is not installed here")
def test_slow_connections_hold_up_the_shipped_caddy_and_nobody_else() -> None:
    found = slow.examine(150, 12, proxy="caddy").faults
    # As above; longer, since Caddy would take ten seconds to notice.
    assert set(found) <= {"good calls are slow"}


@pytest.mark.skipif(_NGINX is None, reason="nginx is not installed here")
def test_what_the_shipped_nginx_itself_refuses_is_json() -> None:
    with slow.shipped() as (server, port, context):
        for path, body, headers, status in (
            ("/v1/calls/start", "x" * 2_000_000, {}, 413),
            ("/" + "a" * 20_000, "", {}, 414),
            ("/v1/calls/start", "", {"X-Long": "a" * 20_000}, 431),
            ("/v1/nowhere", "", {}, 401),
        ):
            with slow.asked(port, context, "POST", path, body, headers) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
                assert set(json.loads(answer.read())) == {"error", "message"}
                assert len(answer.headers.get_all("X-Request-Id", ())) == 1
        for sent, encrypted, status in (
            (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", True, 404),
            (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", True, 405),
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", True, 501),
            (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", True, 505),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", False, 400),
            (b"GET / HTTP/1.1\r\n\r\n", True, 400),
        ):
            answer, body = said(port, context if encrypted else None, sent)
            assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json"), sent
            assert set(json.loads(body)) == {"error", "message"}
            assert answer.headers["X-Request-Id"].startswith("req_")
        for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics/", "/x/../metrics/"):
            with slow.asked(port, context, "GET", path, "") as answer:
                assert (path, answer.status) == (path, 404)
                assert "X-Content-Type-Options" not in answer.headers, "it was asked for at the service"
        shutil.move(server.folder / "http.sock", server.folder / "gone.sock")
        with slow.asked(port, context, "GET", "/v1/health", "") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert answer.headers["X-Request-Id"].startswith("req_")


def said(port: int, context: ssl.SSLContext | None, sent: bytes) -> tuple[HTTPResponse, bytes]:
    """The answer to these bytes."""
    with ExitStack() as opened:
        connection = opened.enter_context(socket.create_connection(("localhost", port), 10))
        if context is not None:
            connection = opened.enter_context(context.wrap_socket(connection, server_hostname="localhost"))
        connection.sendall(sent)
        answer = HTTPResponse(connection)
        answer.begin()
        return answer, answer.read()


def test_without_nginx_they_would() -> None:
    """The positive control, and the reason for a proxy (deploy/README.md)."""
    assert "good calls are slow" in slow.examine(60, 1, bug=True).faults
