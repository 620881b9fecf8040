"""The client: sixteen kept connections in one process, each sending its next request as soon as it has its answer.

One loop over sockets and no library, because client and server share the machine: what the client burns is missing
there. Leaves out: requests at a fixed rate (`pace`), what is sent (`scenarios`), what is compared (`__main__`).
"""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_RECEIVE_BYTES = 65_536
_SILENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: seconds it took, the latency of each answer (seconds), statuses with their number."""

    seconds: float
    latencies: tuple[float, ...]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.latencies)
        return 1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def median_ms(self) -> float:
        return 1_000 * statistics.median(self.latencies)

    @property
    def failures(self) -> int:
        return sum(number for status, number in self.statuses.items() if not 200 <= status < 300)


@dataclass
class _Client:
    """One connection."""

    connection: socket.socket
    requests: Iterator[bytes]
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0


def run(port: int, requests: Sequence[Sequence[bytes]], seconds: float) -> Measured:
    """Send each list over a connection of its own, one answer after the other, until the time or the list is over."""
    selector = selectors.DefaultSelector()
    clients = [_Client(socket.create_connection(("127.0.0.1", port)), iter(each)) for each in requests]
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    until = started + seconds
    for client in clients:
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client.connection, selectors.EVENT_READ, client)
        _send_next(client, selector)
    while selector.get_map():
        events = selector.select(_SILENCE_SECONDS)
        if not events:
            raise TimeoutError("the server has been silent for half a minute")
        for key, _ in events:
            client = key.data
            status = received(client.connection, client.received)
            if status is None:
                continue
            now = time.perf_counter()
            latencies.append(now - client.sent_at)
            statuses[status] = statuses.get(status, 0) + 1
            if now >= until:
                selector.unregister(client.connection)
            else:
                _send_next(client, selector)
    ended = time.perf_counter()
    for client in clients:
        client.connection.close()
    return Measured(ended - started, tuple(latencies), statuses)


def _send_next(client: _Client, selector: selectors.BaseSelector) -> None:
    request = next(client.requests, None)
    if request is None:
        selector.unregister(client.connection)
        return
    client.received.clear()
    client.sent_at = time.perf_counter()
    client.connection.sendall(request)


def received(connection: socket.socket, so_far: bytearray) -> int | None:
    """Read what has come; the status once the whole answer is there."""
    chunk = connection.recv(_RECEIVE_BYTES)
    if not chunk:
        raise ConnectionError("the server closed a kept connection")
    so_far += chunk
    end = so_far.find(b"\r\n\r\n")
    if end < 0 or len(so_far) < end + 4 + _content_length(bytes(so_far[:end])):
        return None
    return int(so_far[9:12])


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        if b" 204 " in lower[:20]:
            return 0
        raise ValueError("an answer without Content-Length")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0])
