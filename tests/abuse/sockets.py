"""Bytes of strangers against a real server: request lines, headers and chunks that are none, halves of requests.

Nobody may get a 500 or a page, no worker may end, and nothing may leave a traceback. Leaves out: what is asked of the
app (`fuzz`), connections that are slow (`slow`).
"""

from __future__ import annotations

import json
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask, request

from tests import databases, serving
from tests.abuse.findings import Findings
from tests.abuse.strangers import Asked, Stranger
from tests.serving import Server

_THREADS = 8
_SILENCE_SECONDS = 10.0
_MOST_BYTES = 1_048_576
# What HTTP has for a Transfer-Encoding that nobody knows: it is no failure of ours.
_NOT_IMPLEMENTED = 501
_LINES = (b"", b"GET", b"GET /", b"GET / HTTP/9.9", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0", b"GET  /  HTTP/1.1")
_LINES += (
    b"G\x00T / HTTP/1.1",
    b"GET /v1/health HTTP/1.1\r",
    b"GET http://evil.example/v1/health HTTP/1.1",
    b"\r\n\r\n",
)
_LINES += (
    b"GET /" + b"a" * 9_000 + b" HTTP/1.1",
    b"POST /v1/calls/start HTTP/1.0",
    b"OPTIONS * HTTP/1.1",
    b"\xff" * 99,
)
_HEADERS = (b"Content-Length: 5, 6", b"Content-Length: -1", b"Content-Length: 1e3", b"Content-Length: " + b"9" * 400)
_HEADERS += (b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: \x0bchunked")
_HEADERS += (
    b"No colon",
    b" folded: yes",
    b": no name",
    b"X: \x00",
    b"Expect: 200-ok",
    b"Expect: 100-continue",
    b"Host:",
)
_HEADERS += (b"X: " + b"y" * 9_000, b"Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__")
_HEADERS += (b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"X_Y: 1")
_HEADERS += (b"Connection: close", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off", b"A: 1\r\n" * 200 + b"B: 1")
_CHUNKS = (
    b"zz\r\n",
    b"-1\r\n",
    b"5;ext=\x00\r\nhello\r\n",
    b"5\r\nhel",
    b"5\r\nhello",
    b"fffffffffffffffff\r\n",
    b"5\r\nhello\r\n",
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes over one connection. `reads`: whether the client waits for an answer, or is gone at once."""

    data: bytes
    reads: bool = True


def examine(count: int, seed: int, store: str = "sqlite", bug: bool = False) -> Findings:
    """What came of `count` connections to a server with two workers. `bug`: one with `build`'s mistakes in it."""
    url = databases.postgresql.bare() if store == "postgresql" else None
    app = f"{__name__}:build()" if bug else "tests.serving:build()"
    findings = Findings()
    with (
        TemporaryDirectory() as folder,
        serving.serving(Path(folder), workers=2, threads=8, app=app, database_url=url) as server,
    ):
        key, before = server.key("acme"), set(server.worker_pids())
        shares = [count // _THREADS + (place < count % _THREADS) for place in range(_THREADS)]
        with ThreadPoolExecutor(_THREADS) as crowd:
            for found in crowd.map(lambda at: _knock(server, key, shares[at], seed * 1_000 + at), range(_THREADS)):
                findings.add(found)
        for pid in before - set(server.worker_pids()):
            findings.fault("a worker has ended", pid)
        _read_log(server, findings)
        if not server.is_healthy():
            findings.fault("it is not healthy any more", server.last_words())
    return findings


def _knock(server: Server, key: str, count: int, seed: int) -> Findings:
    chance, findings = random.Random(seed), Findings()
    stranger = Stranger(chance, (key,))
    for _ in range(count):
        sent = spoiled(written(stranger.request()), chance)
        findings.tried += 1
        try:
            judge(sent, _answered(server.port, sent), findings)
        except TimeoutError:
            findings.fault("no answer and no end", sent.data[:500])
        except ConnectionRefusedError:
            findings.fault("nobody listens", server.last_words())
        except OSError as error:
            # The server closes what it does not want to read to its end: to the client that is a reset.
            findings.told[type(error).__name__] += 1
    return findings


def written(asked: Asked) -> bytes:
    """The request as HTTP/1.1, as badly as the stranger wants it."""
    headers = {"Host": "localhost", "Content-Length": str(len(asked.body)), "Connection": "close", **asked.headers}
    lines = [f"{asked.method} {asked.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + asked.body


def spoiled(whole: bytes, chance: random.Random) -> Sent:
    """Something no HTTP client would send, most of the time."""
    head, _, body = whole.partition(b"\r\n\r\n")
    line, _, headers = head.partition(b"\r\n")
    kind = chance.randrange(8)
    if kind == 0:
        return Sent(chance.choice(_LINES) + b"\r\n" + headers + b"\r\n\r\n" + body)
    if kind == 1:
        return Sent(line + b"\r\n" + chance.choice(_HEADERS) + b"\r\n" + headers + b"\r\n\r\n" + body)
    if kind == 2:
        chunks = b"".join(chance.choices(_CHUNKS, k=chance.randrange(4))) + chance.choice((b"", b"0\r\n\r\n"))
        kept = [each for each in headers.split(b"\r\n") if not each.lower().startswith(b"content-length")]
        return Sent(b"\r\n".join([line, *kept, b"Transfer-Encoding: chunked", b"", b""]) + chunks)
    if kind == 3:
        return Sent(whole[: chance.randrange(len(whole))], reads=chance.random() < 0.5)
    if kind == 4:
        changed = bytearray(whole[:20_000])
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        return Sent(bytes(changed))
    if kind == 5:
        return Sent(chance.randbytes(chance.randrange(2_000)), reads=chance.random() < 0.8)
    # Two in one: the second must not be taken for the first one's body, or the other way round.
    return Sent(whole + whole[:100] if kind == 6 else whole)


def _answered(port: int, sent: Sent) -> bytes | None:
    """All that comes back; None for a client who does not wait for it."""
    with socket.create_connection(("127.0.0.1", port), _SILENCE_SECONDS) as connection:
        connection.sendall(sent.data)
        if not sent.reads:
            return None
        connection.shutdown(socket.SHUT_WR)
        told = bytearray()
        while len(told) < _MOST_BYTES and (more := connection.recv(65_536)):
            told += more
    return bytes(told)


def judge(sent: Sent, told: bytes | None, findings: Findings) -> None:
    """Each answer that came back."""
    if not told:
        findings.answers["none" if told is not None else "not waited for"] += 1
        return
    head, separator, body = told.partition(b"\r\n\r\n")
    status = head[9:12].decode("latin-1")
    findings.answers[status] += 1
    if not head.startswith(b"HTTP/1.") or not status.isdecimal() or not separator:
        findings.fault("not HTTP", (sent.data[:500], told[:500]))
    elif int(status) >= 500 and int(status) != _NOT_IMPLEMENTED:
        findings.fault(f"status {status}", (sent.data[:500], told[:500]))
    elif int(status) >= 400 and not _is_ours(head, body):
        findings.fault("a refusal that is not in our form", (sent.data[:500], told[:700]))


def _is_ours(head: bytes, body: bytes) -> bool:
    """JSON with our two names; Twilio's own refusal is one line of text; HEAD has none."""
    if b"content-type: text/plain" in head.lower():
        return not body or body.startswith(b"Forbidden: ")
    if b"content-type: application/json" not in head.lower():
        return not body
    try:
        found, _ = json.JSONDecoder().raw_decode(body.decode())
    except ValueError:
        return not body
    return {"error", "message"} <= set(found)


def _read_log(server: Server, findings: Findings) -> None:
    log = server.log.read_text("utf-8", "replace")
    if "Traceback" in log:
        findings.fault("traceback", log[max(0, log.index("Traceback") - 200) :])
    for word in ("Worker exiting", "was sent SIG", "WORKER TIMEOUT", "Exception in worker"):
        if word in log:
            findings.fault("a worker has ended", log[max(0, log.index(word) - 200) :])


def build() -> Flask:
    """gunicorn's door to a server with two mistakes: for the positive control."""
    import os

    app = serving.build()

    @app.before_request
    def stumble() -> None:
        if "Expect" in request.headers:
            os._exit(3)  # somebody's library, in C
        int(request.headers.get("Idempotency-Key", "0").strip() or "x")

    return app
