"""The slow ones: connections that are opened, and then hardly used; whoever is thrown out comes again.

A process of their own, so that they do not hold up whoever measures. Leaves out: measuring (`slow`).
"""

from __future__ import annotations

import multiprocessing
import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

KINDS = ("no handshake", "no request", "header", "body", "unread answer")
# The largest thing that needs no key.
_LARGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
_BEGINNINGS = {
    "no request": b"",
    "header": b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    # The signature has the right form: without that the service does not wait for the body.
    "body": b"POST /twilio/voice HTTP/1.1\r\nHost: localhost\r\nX-Twilio-Signature: " + b"a" * 28 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n",
    "unread answer": _LARGE,
}
_EVERY_SECONDS = 1.0
_ROUNDS_TO_COME = 8
_CONNECT_SECONDS = 10.0
_SMALL_BUFFER = 4_096
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL


@dataclass
class Crowd:
    """`held`: how many are connected now; `opened`: how often one came, the first times included."""

    port: int
    certificate: str | None
    connections: int
    _context: Any = field(default_factory=lambda: multiprocessing.get_context("spawn"))

    def __post_init__(self) -> None:
        self._held, self._opened, self._stop = self._context.Value("i"), self._context.Value("i"), self._context.Event()
        given = (self.port, self.certificate, self.connections, self._held, self._opened, self._stop)
        self._process = self._context.Process(target=_hold, args=given, daemon=True)

    @property
    def held(self) -> int:
        return int(self._held.value)

    def begin(self) -> None:
        self._process.start()

    def end(self) -> int:
        """They go; how often one of them came."""
        self._stop.set()
        self._process.join(30)
        return int(self._opened.value)


def _hold(port: int, certificate: str | None, connections: int, held: Any, opened: Any, stop: Any) -> None:
    slow: list[socket.socket | None] = [None] * connections
    while not stop.is_set():
        began = time.monotonic()
        for place, connection in enumerate(slow):
            if connection is not None and not _goes_on(connection, KINDS[place % len(KINDS)]):
                connection.close()
                slow[place] = None
        held.value = sum(each is not None for each in slow)
        # Not all at once, or the proxy would throw all out at once, too.
        missing = [place for place, connection in enumerate(slow) if connection is None]
        for place in missing[: connections // _ROUNDS_TO_COME + 1]:
            slow[place] = None if stop.is_set() else _opened(port, certificate, KINDS[place % len(KINDS)])
            opened.value += slow[place] is not None
        held.value = sum(each is not None for each in slow)
        time.sleep(max(0.0, began + _EVERY_SECONDS - time.monotonic()))


def _opened(port: int, certificate: str | None, kind: str) -> socket.socket | None:
    try:
        plain = socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
        if kind == "unread answer":
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        if kind == "no handshake":
            return plain
        connection = plain
        if certificate is not None:
            connection = ssl.create_default_context(cafile=certificate).wrap_socket(plain, server_hostname="localhost")
        connection.sendall(_BEGINNINGS[kind])
    except OSError:
        return None
    connection.setblocking(False)
    return connection


def _goes_on(connection: socket.socket, kind: str) -> bool:
    """One byte more, from those who send at all. False: it was thrown out."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    if any(event & _GONE for _, event in poll.poll(0)):
        return False
    if kind in ("header", "body"):
        with suppress(ssl.SSLWantWriteError, BlockingIOError):
            try:
                connection.send(b"x")
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                return False
    return True
