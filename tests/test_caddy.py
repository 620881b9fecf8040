"""The shipped Caddyfile in a real Caddy, where there is one: what it passes on, and what it says by itself."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests import caddy
from tests.serving import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(caddy.PROGRAM is None, reason="no Caddy on this machine (apt-get install caddy)"),
]


class Service(BaseHTTPRequestHandler):
    """Reads what it is sent, and answers."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        while (size := int(self.rfile.readline(), 16)) > 0:
            self.rfile.read(size + 2)
        self.rfile.readline()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    with caddy.running(tmp_path, port, f"http://127.0.0.1:{port} {{"):
        yield port


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[None]:
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "http.sock"), Service) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield
        server.shutdown()


def posted(port: int, path: str, megabytes: float) -> tuple[HTTPResponse, bytes]:
    """In chunks: what is too long shows when it is there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = iter([b"x" * 65_536] * max(1, round(megabytes * 16)))
        connection.request("POST", path, body, {"Content-Type": "application/json"}, encode_chunked=True)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("megabytes", [0.5, 1], ids=["half a megabyte", "as much as nginx lets through"])
def test_what_the_service_answers_goes_through(port: int, upstream: None, megabytes: float) -> None:
    answer, body = posted(port, "/v1/calls/start", megabytes)
    assert (answer.status, body) == (200, b"ok")


@pytest.mark.parametrize("path", ["/v1/calls/start", "/twilio/voice"])
def test_a_body_that_is_too_large_is_told_in_json(port: int, upstream: None, path: str) -> None:
    answer, body = posted(port, path, 2)
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/json")
    assert json.loads(body)["error"] == "Content Too Large"
    assert answer.headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("path", ["/v1/calls/start", "/twilio/voice"])
def test_a_service_that_is_away_is_told_in_json_and_so_that_twilio_takes_the_fallback(port: int, path: str) -> None:
    answer, body = posted(port, path, 0.01)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert json.loads(body)["error"] == "Service Unavailable"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics/", "/x/../metrics/"])
def test_figures_are_not_for_the_world(port: int, upstream: None, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    assert json.loads(body)["error"] == "Not Found"
    assert answer.headers["X-Request-Id"].startswith("req_")
