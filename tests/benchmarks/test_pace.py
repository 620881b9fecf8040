"""At a fixed rate a request is late from the moment it was due, not from the moment it could be sent."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.benchmarks.load import run
from tests.benchmarks.pace import at_rate

_REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_STANDSTILL_SECONDS = 0.4


@pytest.fixture
def port() -> Iterator[int]:
    """A server of one thread a connection, all of which stand still together once."""
    stands, count = threading.Lock(), itertools.count(1)

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(4_096):
                with stands:
                    if next(count) == 20:
                        time.sleep(_STANDSTILL_SECONDS)
                connection.sendall(_ANSWER)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_all_that_were_due_while_the_server_stood_still_are_late(port: int) -> None:
    """Also those for which no connection was free."""
    result = at_rate(port, itertools.repeat(_REQUEST), per_second=500, seconds=1)
    assert result.statuses == {200: 500}
    late = sum(latency > _STANDSTILL_SECONDS / 4 for latency in result.latencies)
    assert late > 0.6 * 500 * _STANDSTILL_SECONDS


def test_the_rate_is_kept(port: int) -> None:
    result = at_rate(port, itertools.repeat(_REQUEST), per_second=200, seconds=0.5)
    assert result.seconds >= 99 / 200


def test_a_client_that_waits_for_answers_sees_one_late_answer_a_connection(port: int) -> None:
    """The control: why latencies are not measured with `load`."""
    result = run(port, [[_REQUEST] * 100] * 4, seconds=5)
    assert sum(latency > _STANDSTILL_SECONDS / 4 for latency in result.latencies) <= 4
