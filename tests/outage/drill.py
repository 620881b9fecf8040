"""The store is away for a while under calls: what did callers hear meanwhile, and what has come of it afterwards?"""

from __future__ import annotations

import json
import threading
import time
from itertools import count

from adapter.engine.model import Mode
from adapter.store import calls as stored
from tests.calling import CHOICE, Calling, Calls, ends_lost, hung_up, taking_calls
from tests.outage.away import Way
from tests.report import Report
from tests.serving import Request, Server

MOST_SECONDS = 2.0
# From the store's return until everything that waited is applied.
MOST_CATCHING_UP = 30.0
_BEFORE_SECONDS = 2.5
_MOST_HEALTH_SECONDS = 1.0
# What a health check may still say of the second before.
_STALE_SECONDS = 1.5
# Some of them fall between two of the transactions by which what waits is applied.
_BETWEEN_LOOKS_SECONDS = 0.002


def drill(way: Way, seconds: float, per_second: float, app: str = "tests.serving:build()") -> Report:
    """So many calls a second, the store away for so long. `app`: the server's, perhaps with a bug."""
    with way.place() as place, taking_calls(place.folder, app, place.url) as server:
        watch, calling = _Watch(server), Calling(server, per_second)
        watch.start()
        calling.start()
        time.sleep(_BEFORE_SECONDS)
        gone_at = time.monotonic()
        with way.away(place):
            time.sleep(seconds)
            waiting = _waiting(server)
        returned_at = time.monotonic()
        report = Report()
        seconds, out_of_order = _caught_up(server, waiting, returned_at)
        report.most("applied after its return", seconds, MOST_CATCHING_UP)
        report.none("looks at which hang-ups were applied out of order", "the first", out_of_order)
        heard = calling.stop()
        watch.stop()
        _judge_answers(report, heard)
        watch.judge(report, gone_at, returned_at)
        _judge_store(report, server, heard)
        report.told["events that waited"] = len(waiting)
    return report


class _Watch(threading.Thread):
    """Somebody who asks for the service's health, and a client of its API."""

    def __init__(self, server: Server) -> None:
        super().__init__(name="watch")
        self._server = server
        self._over = threading.Event()
        self._key = server.key("acme")
        # (asked at, seconds, status)
        self._health: list[tuple[float, float, int]] = []
        self._api: list[tuple[float, float, int]] = []

    def stop(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        for number in count():
            if self._over.wait(0.2):
                return
            self._ask(self._health, Request("GET", "/v1/health", {}))
            self._ask(self._api, self._start(number))

    def judge(self, report: Report, gone_at: float, returned_at: float) -> None:
        report.most("health was told after", max(seconds for _, seconds, _ in self._health), _MOST_HEALTH_SECONDS)
        away = [each for each in self._health if gone_at + _STALE_SECONDS < each[0] < returned_at - each[1]]
        lies = [each for each in away if each[2] != 503]
        report.none("lies about its health while the store was away", lies[:1], len(lies))
        after = [each for each in self._health if each[0] > returned_at + 2]
        report.none("lies about its health afterwards", after[:1], sum(each[2] != 200 for each in after))
        wrong = [each for each in self._api if each[2] not in (200, 503)]
        report.none("answers to the API's clients that are neither success nor 503", wrong[:1], len(wrong))
        report.told["503 to the API's clients"] = sum(each[2] == 503 for each in self._api)

    def _ask(self, to: list[tuple[float, float, int]], request: Request) -> None:
        asked_at = time.monotonic()
        try:
            status = self._server.send(request, timeout=15).status
        except OSError:
            status = 0
        to.append((asked_at, time.monotonic() - asked_at, status))

    def _start(self, number: int) -> Request:
        body = {"call_id": f"api-{number}", "identity_hints": {"ani": f"+1202{number:07d}"}}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        return Request("POST", "/v1/calls/start", headers, json.dumps(body))


def _waiting(server: Server) -> list[str]:
    """The calls whose hang-up waits, in order."""
    inbox = server.service.inbox
    assert inbox is not None
    events = (inbox._event(payload) for _, payload in inbox._journal.waiting() if payload is not None)
    return [event["call_id"] for event in events if "turn" not in event]


def _caught_up(server: Server, waiting: list[str], returned_at: float) -> tuple[float, int]:
    """How long it took until all of these were applied, and how often a look at the database found others of them than
    the first ones."""
    out_of_order = 0
    while True:
        known = hung_up(server)
        applied = [call_id in known for call_id in waiting]
        out_of_order += applied != sorted(applied, reverse=True)
        seconds = time.monotonic() - returned_at
        if all(applied) or seconds > 2 * MOST_CATCHING_UP:
            return seconds, out_of_order
        time.sleep(_BETWEEN_LOOKS_SECONDS)


def _judge_answers(report: Report, heard: Calls) -> None:
    report.told["webhooks"] = len(heard.heard)
    report.faults += heard.bad()
    report.most("TwiML after at most", heard.slowest("voice", "turn"), MOST_SECONDS)
    report.told["TwiML in the median after"] = f"{heard.median('voice', 'turn'):.3f} s"


def _judge_store(report: Report, server: Server, heard: Calls) -> None:
    """What callers did has to be there, once everything that waits is applied."""
    lost = ends_lost(server, heard)
    report.none("ends lost", lost[:1], len(lost))
    choices = [each.call_id for each in heard.of("turn") if each.status == 200]
    unknown = _without_their_choice(server, choices)
    report.told["choices"] = len(choices)
    report.none("choices lost", unknown[:1], len(unknown))


def _without_their_choice(server: Server, call_ids: list[str]) -> list[str]:
    principal = server.service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    with server.service.store.read(principal.realm) as tx:
        found = {call_id: stored.find(tx, call_id) for call_id in call_ids}
    return [call_id for call_id, call in found.items() if not (call and call.talk and CHOICE in call.talk.opened)]
