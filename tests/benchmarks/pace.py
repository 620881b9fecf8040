"""The client at a fixed rate: callers come when they come, whether or not the server has answered those before.

Each request has its moment, and its latency counts from then: one that had to wait because the server stood still is
slow, which a client that sends only after an answer would never see. Leaves out: the closed loop (`load`).
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from .load import Measured, received

_CONNECTIONS = 32
_SILENCE_SECONDS = 30


@dataclass
class _Connection:
    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    due: float = 0.0


def at_rate(port: int, requests: Iterator[bytes], per_second: float, seconds: float) -> Measured:
    """Send so many a second for so long, over kept connections, each on the first that is free."""
    number = round(per_second * seconds)
    return _paced(_Pace(port, iter(list(islice(requests, number))), number, per_second))


def at_rate_for_long(
    port: int, requests: Iterator[bytes], per_second: float, seconds: float, connections: int
) -> Measured:
    """The same with requests that are made while it goes on, for they would not all fit into memory."""
    return _paced(_Pace(port, requests, round(per_second * seconds), per_second, connections))


def _paced(pace: _Pace) -> Measured:
    try:
        return pace.run()
    finally:
        pace.close()


class _Pace:
    def __init__(
        self, port: int, requests: Iterator[bytes], left: int, per_second: float, connections: int = _CONNECTIONS
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections = [_Connection(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
        for each in self._connections:
            each.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(each.connection, selectors.EVENT_READ, each)
        self._free = deque(self._connections)
        self._requests, self._left, self._every = requests, left, 1 / per_second
        self._latencies: list[float] = []
        self._statuses: dict[int, int] = {}
        self._next = 0.0

    def run(self) -> Measured:
        started = self._next = time.perf_counter()
        last_heard = started
        while self._left or len(self._free) < len(self._connections):
            self._send_what_is_due()
            for key, _ in self._selector.select(self._wait()):
                self._receive(key.data)
                last_heard = time.perf_counter()
            if time.perf_counter() - last_heard > _SILENCE_SECONDS:
                raise TimeoutError("the server has been silent for half a minute")
        return Measured(time.perf_counter() - started, tuple(self._latencies), self._statuses)

    def close(self) -> None:
        self._selector.close()
        for each in self._connections:
            each.connection.close()

    def _send_what_is_due(self) -> None:
        while self._left and self._free and self._next <= time.perf_counter():
            client = self._free.popleft()
            client.received.clear()
            client.due = self._next
            self._next += self._every
            self._left -= 1
            client.connection.sendall(next(self._requests))

    def _wait(self) -> float:
        if not self._left or not self._free:
            return 1.0
        return max(0.0, self._next - time.perf_counter())

    def _receive(self, client: _Connection) -> None:
        status = received(client.connection, client.received)
        if status is not None:
            self._latencies.append(time.perf_counter() - client.due)
            self._statuses[status] = self._statuses.get(status, 0) + 1
            self._free.append(client)
