"""Prism between a client of Twilio's REST API and the little API of the tests; what it finds wrong with either.

Source: Stoplight Prism, "Validation Proxy": a request or an answer that the description does not allow is told in the
answer's header `sl-violations`. Leaves out: `HEAD`, which asks for nothing but the time; refusals, which
are not described.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests
import responses

from tests.serving import free_port, wait_for
from tests.twilio.rest import BASE, Answer, Rest

DESCRIPTION = "node_modules/@twilio-alpha/mcp/twilio-oai/spec/json/twilio_api_v2010.json"
_PROGRAM = "node_modules/.bin/prism"
_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding"}


class Prism:
    """`count`: requests so far."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.count = 0
        self._programs = programs
        self._folder = folder
        self._rest: Rest | None = None
        self._violations: list[str] = []
        self._answer = Rest.answer

    def __enter__(self) -> Prism:
        self._upstream = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._upstream.serve_forever, daemon=True).start()
        self._port = free_port()
        self._address = f"http://127.0.0.1:{self._port}"
        command = ["proxy", str(self._programs / DESCRIPTION), f"http://127.0.0.1:{self._upstream.server_port}"]
        self._log = (self._folder / "prism.log").open("wb")
        self._process = subprocess.Popen(
            [str(self._programs / _PROGRAM), *command, "-p", str(self._port)],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        wait_for(self._is_up, "Prism")
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
        self._log.close()
        self._upstream.shutdown()
        self._upstream.server_close()

    @contextmanager
    def between(self) -> Iterator[None]:
        """From now on every `Rest` is asked through Prism."""

        def answer(rest: Rest, request: requests.PreparedRequest) -> Answer:
            return self._answer(rest, request) if request.method == "HEAD" else self.forward(rest, request)

        with patch.object(Rest, "answer", answer):
            yield

    def ask(self, rest: Rest, method: str, path: str, form: dict[str, str]) -> Answer:
        """One request, as the account's own."""
        known = base64.b64encode(f"{rest.account}:{rest.tokens[0]}".encode()).decode()
        headers = {"Authorization": f"Basic {known}"}
        return self.forward(rest, requests.Request(method, BASE + path, headers=headers, data=form).prepare())

    def forward(self, rest: Rest, request: requests.PreparedRequest) -> Answer:
        """To `rest` and back, both looked at."""
        self.count += 1
        self._rest = rest
        parts = urlsplit(str(request.url))
        passed = request.copy()
        passed.url = f"{self._address}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        with responses.RequestsMock() as real, requests.Session() as session:
            real.add_passthru(self._address)
            found = session.send(passed, timeout=30)
        said = json.loads(found.headers.pop("sl-violations", "[]"))
        values = {"request": {"body": dict(parse_qsl(_text(request.body), keep_blank_values=True))}}
        values["response"] = {"body": found.json() if found.text else {}}
        for each in said if found.ok else ():
            if not _is_forgotten(each["location"], values):
                self._violations.append(f"{request.method} {_shape(parts.path)}: {each['message']} {each['location']}")
        headers = {name: value for name, value in found.headers.items() if name.lower() not in _HOP}
        return found.status_code, headers, found.text

    def violations(self, *, forget: bool = False) -> list[str]:
        """What was wrong until now, each once."""
        found = list(dict.fromkeys(self._violations))
        if forget:
            self._violations.clear()
            self.count = 0
        return found

    def _is_up(self) -> bool:
        return b"Prism is listening" in (self._folder / "prism.log").read_bytes()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        prism = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._told(b"")

            def do_POST(self) -> None:
                self._told(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def _told(self, body: bytes) -> None:
                assert prism._rest is not None
                headers: dict[str, Any] = {"Authorization": self.headers.get("Authorization", "")}
                request = requests.Request(self.command, BASE + self.path, headers=headers, data=body).prepare()
                status, answered, text = prism._answer(prism._rest, request)
                self.send_response_only(status)
                for name, value in {**answered, "Content-Length": str(len(text.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _is_forgotten(location: list[str], values: Any) -> bool:
    """What Twilio's own examples show and its description does not allow: "" for nothing set, and to set nothing; pages
    that are named without their host."""
    value = values
    for step in location:
        value = value[int(step) if isinstance(value, list) else step] if value else None
    return value == "" or str(value).startswith("/2010-04-01/")


def _text(body: str | bytes | None) -> str:
    return body.decode() if isinstance(body, bytes) else body or ""


def _shape(path: str) -> str:
    return re.sub(r"\b(AC|PN|SD)[0-9a-fA-F]{32}", r"\1…", path)
