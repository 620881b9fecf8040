"""Callers who come at a fixed rate, whatever became of those before them: each webhook on a connection of its own, as
Twilio's are, with its wait counted from the moment at which it was due.

Leaves out: kept connections and the fastest client there can be (`tests.benchmarks`).
"""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from adapter.engine.model import Mode
from tests import databases
from tests.builders import call_sid
from tests.serving import Request, Server, caller_number, line_number, set_up, wait_for

# Twilio waits so long.
PATIENCE_SECONDS = 15.0
_CHOICE_SECONDS, _CALL_SECONDS = 0.5, 2.0
_TWIML = frozenset({"voice", "turn"})
# What callers choose who are asked.
CHOICE = "refund"
_MENU = {"options": [{"intent": CHOICE, "key": "1"}, {"intent": "delivery", "key": "2"}]}


@contextmanager
def taking_calls(
    folder: Path,
    app: str = "tests.serving:build()",
    database_url: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server as it is shipped, with the limits of time that it comes with, and a menu."""
    server = set_up(folder, workers=2, threads=8, app=app, database_url=database_url, environ=environ, shipped=True)
    settings = yaml.safe_load(server.config_path.read_text("utf-8"))
    del settings["database"]["lock_timeout_ms"], settings["twilio"]["webhook_deadline_ms"]
    settings["lines"][0]["menu"] = _MENU
    server.config_path.write_text(yaml.safe_dump(settings), "utf-8")
    try:
        server.start()
        assert server.service.directory.principal("acme", Mode.PROD)  # asked for while the store is there
        yield server
    finally:
        server.kill()
        server.service.store.close()


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer. `kind`: voice, turn, status, start, health. `at`: when it was due, on `time.monotonic`; `seconds`:
    from then to the answer. `status` 0: there was none."""

    kind: str
    call_id: str
    at: float
    seconds: float
    status: int
    body: str = ""

    @property
    def is_good(self) -> bool:
        """A caller hears something and is put through or asked; an acknowledged callback; any answer of the API's but
        a failure."""
        if self.kind in _TWIML:
            return self.status == 200 and _leads_on(self.body)
        return self.status == 204 if self.kind == "status" else self.status in (200, 503)


@dataclass
class Calls:
    """What was heard of calls to one server, by whom: see `Calling`."""

    heard: list[Heard] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Heard]:
        return [each for each in self.heard if each.kind in kinds]

    def bad(self) -> list[str]:
        """How often which answer was none, as sentences."""
        found = Counter(
            f"{each.kind} was answered {each.status or each.body}" for each in self.heard if not each.is_good
        )
        return [f"{times} times {what}" for what, times in found.most_common()]

    def slowest(self, *kinds: str) -> float:
        """Seconds."""
        return max((each.seconds for each in self.of(*kinds)), default=0.0)

    def median(self, *kinds: str) -> float:
        return statistics.median([each.seconds for each in self.of(*kinds)] or [0.0])


class Calling(threading.Thread):
    """A thread in which callers call `server`, `per_second`, until `stop`. What is begun is brought to its end.

    A call: the greeting; a key half a second later, if one is asked for; two seconds after the start it is hung up.
    """

    def __init__(self, server: Server, per_second: float, first_call: int = 0, line: str = line_number(0)) -> None:
        super().__init__(name="calling")
        self.calls = Calls()
        self._server = server
        self._every = 1 / per_second
        self._first = first_call
        self._line = line
        self._over = threading.Event()

    def stop(self) -> Calls:
        """No more calls; what was heard of all."""
        self._over.set()
        self.join()
        return self.calls

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        began, calls, number = time.monotonic(), set[asyncio.Task[None]](), self._first
        while not self._over.is_set():
            due = began + (number - self._first) * self._every
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            calls.add(asyncio.create_task(self._call(number, due)))
            number += 1
        await asyncio.gather(*calls)

    async def _call(self, number: int, at: float) -> None:
        sid, caller = call_sid(number), caller_number(number)
        greeting = await self._ask("voice", sid, at, self._server.webhook("voice", self._line, sid, caller))
        if "<Gather" in greeting.body:
            pressed = self._server.webhook("turn/1", self._line, sid, caller, Digits="1", CallStatus="in-progress")
            await self._ask("turn", sid, at + _CHOICE_SECONDS, pressed)
        await self._ask("status", sid, at + _CALL_SECONDS, self._server.hang_up(self._line, sid, caller))

    async def _ask(self, kind: str, sid: str, due: float, request: Request) -> Heard:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        heard = await ask(self._server.port, kind, sid, due, request)
        self.calls.heard.append(heard)
        return heard


def hung_up(server: Server) -> set[str]:
    """The calls of which the database knows that."""
    sql = "SELECT call_id FROM calls WHERE hung_up_at IS NOT NULL"
    return {call_id for (call_id,) in databases.rows_at(server.database_url, sql)}


def ends_lost(server: Server, heard: Calls) -> list[str]:
    """The calls whose acknowledged end is not in the database, once nothing waits to be brought there."""
    inbox = server.service.inbox
    assert inbox is not None
    wait_for(lambda: inbox.depth() == 0, "nothing to wait in the inbox", server.last_words)
    known = hung_up(server)
    return [each.call_id for each in heard.of("status") if each.status == 204 and each.call_id not in known]


async def ask(port: int, kind: str, call_id: str, due: float, request: Request) -> Heard:
    """One request on a connection of its own."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, body = await _answered(port, request)
    except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
        status, body = 0, type(error).__name__
    return Heard(kind, call_id, due, time.monotonic() - due, status, body)


async def _answered(port: int, request: Request) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        body = request.body.encode()
        headers = {**request.headers, "Host": f"127.0.0.1:{port}", "Connection": "close", "Content-Length": len(body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = await reader.read()
        head_bytes, _, content = answer.partition(b"\r\n\r\n")
        return int(head_bytes[9:12]), content.decode()
    finally:
        writer.close()


def _leads_on(body: str) -> bool:
    try:
        document = ET.fromstring(body)
    except ET.ParseError:
        return False
    return document.tag == "Response" and any(document.find(verb) is not None for verb in ("Dial", "Gather"))
