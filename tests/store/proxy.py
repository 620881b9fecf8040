"""Between a store and PostgreSQL: a connection that breaks at the worst moment, on COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from psycopg.conninfo import conninfo_to_dict

_COMMIT = b"COMMIT\0"
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT"
_READY = b"Z"
# To the questions for encryption that come before everything else.
_NO = b"N"
_HEADER_BYTES = 5


@dataclass
class _Messages:
    """The messages in what comes from a server, piece by piece."""

    rest: bytes = b""
    begun: bool = False

    def kinds(self, data: bytes) -> list[bytes]:
        """Of those that are complete now: a letter each."""
        self.rest += data
        if not self.begun:
            self.rest = self.rest.lstrip(_NO)
            self.begun = bool(self.rest)
        found = []
        while len(self.rest) >= _HEADER_BYTES:
            end = 1 + int.from_bytes(self.rest[1:_HEADER_BYTES], "big")
            if len(self.rest) < end:
                break
            found.append(self.rest[:1])
            self.rest = self.rest[end:]
        return found


class OnCommit(Enum):
    """What happens to the connection that next says COMMIT."""

    PASS = "pass"
    # The server never hears of it.
    LOSE = "lose"
    # The server commits, and nobody hears of that.
    LOSE_THE_ANSWER = "lose the answer"


@dataclass
class Proxy:
    """Listens on a port of its own. `meanwhile` is called before a lost connection is seen to be."""

    target: str
    on_commit: OnCommit = OnCommit.PASS
    is_open: bool = True
    meanwhile: Callable[[], object] = lambda: None
    # How often the server has said that it has answered everything and waits.
    answered: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        parts = conninfo_to_dict(self.target)
        user = f"{parts.get('user')}:{parts.get('password', '')}"
        return f"postgresql://{user}@127.0.0.1:{self._listener.getsockname()[1]}/{parts['dbname']}"

    def run(self) -> None:
        """Until `close`."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self.is_open:
                    client.close()
                    continue
                server = self._connected()
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connected(self) -> socket.socket:
        parts = conninfo_to_dict(self.target)
        host, port = str(parts.get("host") or "localhost"), int(parts.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if _COMMIT in data and self.on_commit is OnCommit.LOSE:
                    self.on_commit = OnCommit.PASS
                    self.meanwhile()
                    break
                server.sendall(data)
        _shut(server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        messages = _Messages()
        with suppress(OSError):
            while data := server.recv(65_536):
                self.answered += messages.kinds(data).count(_READY)
                if _COMMITTED in data and self.on_commit is OnCommit.LOSE_THE_ANSWER:
                    self.on_commit = OnCommit.PASS
                    self.meanwhile()
                    break
                client.sendall(data)
        _shut(client)


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the database at this URL."""
    proxy = Proxy(url)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
