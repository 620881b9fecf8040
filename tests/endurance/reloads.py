"""The service is reloaded (SIGHUP) again and again under calls and clients: nobody notices."""

from __future__ import annotations

import json
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from itertools import count as counting
from pathlib import Path
from typing import Final

from tests.calling import Calling, Calls, ends_lost, taking_calls
from tests.report import Report
from tests.serving import Server, wait_for

# Broken builds, as settings of gunicorn: with a listening socket of its own, a worker that ends takes with it who waits
# there; and one that does not wait for its successor leaves callers with nobody.
SEEDED: Final = {
    "sockets_apart": {"GUNICORN_CMD_ARGS": "--reuse-port"},
    "ends_at_once": {"GUNICORN_CMD_ARGS": "--worker-class tests.endurance.impatient.Impatient"},
}
# So long it takes a worker to load: whoever waits as long has waited for one that was not there.
_PROMPT_SECONDS = 0.5
_CLIENTS = 4
_CLIENT_PAUSE_SECONDS = 0.1


def reloads(times: int, calls_per_second: float, environ: Mapping[str, str] | None = None) -> Report:
    """So many, one after the other, each when the last one's workers are all gone."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder, taking_calls(Path(folder), environ=environ) as server:
        calling = Calling(server, calls_per_second)
        clients = [_Client(server, number) for number in range(_CLIENTS)]
        for thread in (calling, *clients):
            thread.start()
        began = time.monotonic()
        for _ in range(times):
            _reload(server)
        report.told["reloads"] = f"{times} in {time.monotonic() - began:.0f} s"
        heard = calling.stop()
        _judge(report, heard, [client.stop() for client in clients])
        lost = ends_lost(server, heard)
        report.none("ends lost", lost[:1], len(lost))
        _judge_log(report, server)
    return report


def _reload(server: Server) -> None:
    """Returns when all workers are new ones."""
    before, process = set(server.worker_pids()), server.process
    assert process is not None
    process.send_signal(signal.SIGHUP)

    def is_done() -> bool:
        now = set(server.worker_pids())
        return len(now) == server.workers and not now & before

    wait_for(is_done, "new workers", server.last_words)


class _Client(threading.Thread):
    """One of the API's, with a connection that it keeps for as long as the server does. `answers`: by status, or by
    what it met with in place of one."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__(name=f"client {number}")
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=15)
        self._headers = {"Authorization": f"Bearer {server.key('acme')}", "Content-Type": "application/json"}
        self._number = number
        self._over = threading.Event()
        self.answers: Counter[int | str] = Counter()

    def stop(self) -> Counter[int | str]:
        self._over.set()
        self.join()
        return self.answers

    def run(self) -> None:
        for number in counting():
            if self._over.wait(_CLIENT_PAUSE_SECONDS):
                self._connection.close()
                return
            call = {"call_id": f"api-{self._number}-{number}", "identity_hints": {"ani": f"+1202{self._number:07d}"}}
            self._ask("start", call)
            self._ask("end", {**call, "intent": "refund"})

    def _ask(self, what: str, body: Mapping[str, object]) -> None:
        try:
            self._connection.request("POST", f"/v1/calls/{what}", json.dumps(body), self._headers)
            answer = self._connection.getresponse()
            answer.read()
            self.answers[answer.status] += 1
        except (OSError, HTTPException) as error:
            self._connection.close()
            self.answers[type(error).__name__] += 1


def _judge(report: Report, heard: Calls, clients: Iterable[Counter[int | str]]) -> None:
    report.told["webhooks"] = len(heard.heard)
    report.faults += heard.bad()
    slowest = heard.slowest("voice", "turn")
    report.told["TwiML after at most"] = f"{slowest:.2f} s"
    if slowest > _PROMPT_SECONDS:
        report.slow.append(f"a caller waited {slowest:.2f} s for TwiML: is there a worker at any moment of a reload?")
    report.told["TwiML in the median after"] = f"{heard.median('voice', 'turn'):.3f} s"
    answers = sum(clients, Counter())
    report.told["answers to the API's clients"] = dict(answers)
    failed = {kind: number for kind, number in answers.items() if kind not in (200, 503)}
    report.none("failures of the API's clients", failed, sum(failed.values()))
    if answers[503]:
        report.slow.append(f"{answers[503]} times a client was told to come back")


def _judge_log(report: Report, server: Server) -> None:
    lines = [line for line in server.log.read_text("utf-8").splitlines() if '"level": "error"' in line]
    report.told["errors in the log"] = len(lines)
    if lines:
        report.slow.append(f"{len(lines)} errors in the log, such as {lines[0]}")
