"""Callers for the machine: signed voice webhooks over TLS at a steady pace, and thousands of connections that dawdle.

Runs on the machine itself, with Debian's Python and the standard library (and the product's signature). Prints one line
of JSON: how many calls were made, how many failed or were greeted neutrally, latencies. Ends with SIGTERM or --seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import selectors
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from adapter.twilio.signature import sign

_NEUTRAL = "Welcome. One moment, please."
_CALLERS = 8


@dataclass
class Calls:
    """What came of the calls. Latencies in milliseconds."""

    host: str
    account: str
    number: str
    token: str
    trusted: ssl.SSLContext
    per_second: float
    latencies: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    neutral: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def make(self) -> None:
        """One caller after the other on one connection, until it is told to stop."""
        connection = self._connection()
        pause = _CALLERS / self.per_second
        due = time.monotonic() + random.uniform(0, pause)
        while not self.stop.wait(max(0.0, due - time.monotonic())):
            due += pause
            began = time.monotonic()
            try:
                status, body = self._call(connection)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(type(error).__name__)
                connection = self._connection()
                continue
            self.latencies.append((time.monotonic() - began) * 1_000)
            if status != 200 or "<Dial" not in body:
                self.failed.append(str(status))
            self.neutral += _NEUTRAL in body

    def _call(self, connection: http.client.HTTPConnection) -> tuple[int, str]:
        form = {
            "AccountSid": self.account,
            "CallSid": f"CA{random.getrandbits(128):032x}",
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": f"+1555{random.randrange(10**7):07d}",
            "To": self.number,
        }
        signature = sign(f"https://{self.host}/twilio/voice", list(form.items()), self.token)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/twilio/voice", urlencode(form), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, timeout=20, context=self.trusted)


class Dawdlers:
    """Connections that send a byte now and then: of the headers, or of a body that they promised."""

    def __init__(self, count: int, host: str, trusted: ssl.SSLContext) -> None:
        self._count, self._host, self._trusted = count, host, trusted
        self._open: dict[ssl.SSLSocket, Iterator[bytes]] = {}
        self.most = 0
        self.dropped = 0
        self.full = threading.Event()

    def dawdle(self, stop: threading.Event) -> None:
        """Until it is told to stop. Who is thrown out comes back."""
        with selectors.DefaultSelector():
            while not stop.is_set():
                self._fill()
                self.full.set()
                for connection in list(self._open):
                    self._send(connection)
                stop.wait(1.0)
        for connection in self._open:
            connection.close()

    def _fill(self) -> None:
        while len(self._open) < self._count:
            plain = socket.create_connection((self._host, 443), timeout=20)
            connection = self._trusted.wrap_socket(plain, server_hostname=self._host)
            connection.setblocking(False)
            self._open[connection] = _bytes(len(self._open) % 2 == 0, self._host)
            self.most = max(self.most, len(self._open))

    def _send(self, connection: ssl.SSLSocket) -> None:
        try:
            connection.send(next(self._open[connection]))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self.dropped += 1
            del self._open[connection]
            connection.close()


def _bytes(of_headers: bool, host: str) -> Iterator[bytes]:
    yield f"POST /twilio/voice HTTP/1.1\r\nHost: {host}\r\n".encode()
    if of_headers:
        yield b"X-Slow: "
    else:
        yield b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
    while True:
        yield b"x"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("--host", "--account", "--number", "--token", "--ca"):
        parser.add_argument(name, required=True)
    parser.add_argument("--per-second", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--dawdlers", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Prints what came of it."""
    options = _options()
    trusted = ssl.create_default_context(cafile=options.ca)
    calls = Calls(options.host, options.account, options.number, options.token, trusted, options.per_second)
    signal.signal(signal.SIGTERM, lambda *_: calls.stop.set())
    dawdlers = Dawdlers(options.dawdlers, options.host, trusted)
    threads = [threading.Thread(target=calls.make) for _ in range(_CALLERS)]
    if options.dawdlers:
        dawdling = threading.Thread(target=dawdlers.dawdle, args=(calls.stop,))
        dawdling.start()
        dawdlers.full.wait(120)
        threads.append(dawdling)
    for thread in threads[:_CALLERS]:
        thread.start()
    calls.stop.wait(options.seconds)
    calls.stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(_told(calls, dawdlers)), flush=True)


def _told(calls: Calls, dawdlers: Dawdlers) -> dict[str, object]:
    ordered = sorted(calls.latencies) or [0.0]
    shares = {name: round(ordered[int(len(ordered) * share)], 1) for name, share in (("p50", 0.5), ("p99", 0.99))}
    counts = {"calls": len(calls.latencies), "failed": calls.failed, "neutral": calls.neutral}
    slow = {"dawdlers": dawdlers.most, "dropped": dawdlers.dropped}
    return {**counts, **shares, "longest": round(ordered[-1], 1), **slow}


if __name__ == "__main__":
    main()
