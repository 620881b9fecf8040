"""What the server refuses before the app sees it is JSON, too, and tells the log nothing of what was sent."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from gunicorn.http import errors

from adapter.cli.serving.refusals import status_of
from adapter.cli.serving.worker import Worker


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequestLine("GET /twilio/voice?CallerName=Maria"), 400),
        (errors.InvalidHeaderName("Maria"), 400),
        (errors.InvalidChunkSize(b"zz"), 400),
        (errors.LimitRequestLine(9_000, 8_190), 414),
        (errors.LimitRequestHeaders("Maria"), 431),
        (errors.ExpectationFailed("Maria"), 417),
        (errors.UnsupportedTransferCoding("Maria"), 501),
        (errors.InvalidResponseHeader("Maria"), 500),
        (ValueError("oh"), 500),
    ],
)
def test_every_refusal_is_json_with_an_id_that_finds_its_line(
    ends: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    ours, theirs = ends
    Worker.__new__(Worker).handle_error(None, ours, None, error)
    head, _, body = theirs.recv(4_096).decode("ascii").partition("\r\n\r\n")
    headers = dict(line.split(": ") for line in head.split("\r\n")[1:])
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert set(json.loads(body)) == {"error", "message"}
    assert (headers["Content-Type"], headers["Content-Length"]) == ("application/json", str(len(body)))
    assert [record.request_id for record in caplog.records] == [headers["X-Request-Id"]]  # type: ignore[attr-defined]
    assert "Maria" not in body + caplog.records[0].getMessage()
    assert caplog.records[0].levelno == (logging.ERROR if status == 500 else logging.WARNING)


def test_every_refusal_gunicorn_knows_has_a_status() -> None:
    every = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in every if issubclass(kind, errors.ParseException)]
    assert len(kinds) > 10
    ours = {errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem}
    for kind in kinds:
        assert (status_of(kind.__new__(kind)) == 500) is (kind in ours), kind


def test_who_does_not_read_holds_nobody_up(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = ends
    ours.setblocking(False)
    with suppress(BlockingIOError):
        while ours.send(b"x" * 65_536):
            pass
    answering = threading.Thread(target=Worker.__new__(Worker).handle_error, args=(None, ours, None, ValueError()))
    answering.start()
    answering.join(10)
    assert not answering.is_alive()
