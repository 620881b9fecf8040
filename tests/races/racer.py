"""One client process: takes requests on stdin, waits for the word, sends them all at once, tells what came back.

Lines of JSON both ways: {"port", "requests", "until"} → "ready" → "go" → [reply, …]. Only the standard library, so that
eight of them start quickly. `until` (monotonic seconds, the same clock in every process of a machine): go round the
requests again and again until then, each thread by itself.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any

_TIMEOUT_SECONDS = 60
# Long enough to save connecting, short enough to come round to every worker.
_ANSWERS_A_CONNECTION = 10


class Sender:
    """Sends one request after the other, on connections that are renewed now and then."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None
        self._left = 0

    def send(self, number: int, request: dict[str, Any]) -> dict[str, Any]:
        connection = self._connected()
        sent = time.monotonic()
        try:
            connection.request(request["method"], request["path"], request["body"], request["headers"])
            answer = connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return {"number": number, "sent": sent, "done": time.monotonic(), "error": type(error).__name__}
        headers = {name.lower(): value for name, value in answer.getheaders()}
        reply = {"number": number, "sent": sent, "done": time.monotonic()}
        return {**reply, "status": answer.status, "headers": headers, "body": body}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or not self._left:
            self.close()
            self._left = _ANSWERS_A_CONNECTION
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        self._left -= 1
        return self._connection


def once(port: int, requests: list[dict[str, Any]], go: threading.Barrier, replies: list[Any]) -> None:
    """A thread for each request."""

    def run(number: int, request: dict[str, Any]) -> None:
        go.wait()
        sender = Sender(port)
        replies.append(sender.send(number, request))
        sender.close()

    _together([threading.Thread(target=run, args=numbered) for numbered in enumerate(requests)], go)


def again(port: int, requests: list[dict[str, Any]], go: threading.Barrier, replies: list[Any], until: float) -> None:
    """A thread for each request, sending it until the time is over."""

    def run(number: int, request: dict[str, Any]) -> None:
        go.wait()
        sender = Sender(port)
        while time.monotonic() < until:
            replies.append(sender.send(number, request))
        sender.close()

    _together([threading.Thread(target=run, args=numbered) for numbered in enumerate(requests)], go)


def _together(threads: list[threading.Thread], go: threading.Barrier) -> None:
    for thread in threads:
        thread.start()
    print('"ready"', flush=True)
    if not sys.stdin.readline():
        sys.exit(1)  # the one who asked is gone
    go.wait()
    for thread in threads:
        thread.join()


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        task = json.loads(line)
        replies: list[Any] = []
        go = threading.Barrier(len(task["requests"]) + 1)
        if task["until"] is None:
            once(task["port"], task["requests"], go, replies)
        else:
            again(task["port"], task["requests"], go, replies, task["until"])
        print(json.dumps(replies), flush=True)


if __name__ == "__main__":
    main()
