"""A crowd of the API's clients asks for five times as much as can be done, next to telephone calls: these are answered,
nothing breaks, and once the crowd has gone all is as before.

How much can be done is measured first. Clients and service share the machine's processors.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count as counting
from itertools import islice
from pathlib import Path

from tests.benchmarks import load, pace
from tests.calling import Calling, Calls, Heard, taking_calls
from tests.report import Report
from tests.serving import Request, Server, caller_number

SERVES_IN_TURN = "tests.endurance.seeded:serves_in_turn()"
# Of twenty, one may wait for as long as a webhook's deadline.
MOST_SECONDS, MOST_MOSTLY = 3.5, 1.0
MOST_UNTIL_NORMAL = 10.0
_CALLS_PER_SECOND = 5.0
_CLIENTS = 1_000
_FEW_CLIENTS, _MEASURED_SECONDS = 32, 3.0
_BEFORE_SECONDS = 3.0
# Served in the order of coming, nearly nobody is: the wait for a thread uses up the time.
MOST_UNASKED = 0.5
# Nobody waits for so long when there is nothing else to do.
_NORMAL_SECONDS = 0.5
_PROBE_EVERY_SECONDS = 0.25


def overload(
    seconds: float,
    times: float,
    app: str = "tests.serving:build()",
    clients: int = _CLIENTS,
    afterwards_seconds: float = MOST_UNTIL_NORMAL + 5,
) -> Report:
    """For so long, so many times what can be done."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder, taking_calls(Path(folder), app) as server:
        key = server.key("acme")
        can_do = _can_do(server, key)
        calling, probing = Calling(server, _CALLS_PER_SECOND), _Probing(server, key)
        calling.start()
        probing.start()
        time.sleep(_BEFORE_SECONDS)
        began = time.monotonic()
        crowd = _crowd(server.port, key, can_do * times, seconds, clients)
        over = time.monotonic()
        time.sleep(afterwards_seconds)
        heard, probed = calling.stop(), probing.stop()
    report.told["API requests a second that can be done"] = round(can_do)
    _judge_crowd(report, crowd, can_do * times)
    _judge_voice(report, heard, began, over)
    _judge_afterwards(report, heard, probed, over)
    return report


def _can_do(server: Server, key: str) -> float:
    """By clients who wait for their answers."""
    requests = [
        list(islice(_starts(key, f"first-{number}"), round(100 * _MEASURED_SECONDS))) for number in range(_FEW_CLIENTS)
    ]
    return load.run(server.port, requests, _MEASURED_SECONDS).per_second


def _crowd(port: int, key: str, per_second: float, seconds: float, clients: int) -> load.Measured:
    """In a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_press, (port, key, per_second, seconds, clients))


def _press(port: int, key: str, per_second: float, seconds: float, clients: int) -> load.Measured:
    return pace.at_rate_for_long(port, _starts(key, "crowd"), per_second, seconds, clients)


def _starts(key: str, name: str) -> Iterator[bytes]:
    dice = random.Random(name)
    for number in counting():
        hints = {"ani": caller_number(dice.randrange(10**7))}
        body = json.dumps({"call_id": f"{name}-{number}", "identity_hints": hints}).encode()
        head = f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        yield f"POST /v1/calls/start HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body


class _Probing(threading.Thread):
    """One more client of the API, who asks for little all the time."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__(name="probing")
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._over = threading.Event()
        self._heard: list[Heard] = []

    def stop(self) -> list[Heard]:
        self._over.set()
        self.join()
        return self._heard

    def run(self) -> None:
        for number in counting():
            if self._over.wait(_PROBE_EVERY_SECONDS):
                return
            body = {"call_id": f"probe-{number}", "identity_hints": {"ani": "+12025550123"}}
            request = Request("POST", "/v1/calls/start", self._headers, json.dumps(body))
            at = time.monotonic()
            try:
                status = self._server.send(request, timeout=15).status
            except OSError:
                status = 0
            self._heard.append(Heard("start", body["call_id"], at, time.monotonic() - at, status))


def _judge_crowd(report: Report, crowd: load.Measured, wanted: float) -> None:
    report.told["the crowd wanted"] = f"{wanted:.0f} a second"
    report.told["the crowd asked"] = f"{crowd.per_second:.0f} a second"
    report.told["the crowd was answered"] = crowd.statuses
    wrong = {status: number for status, number in crowd.statuses.items() if status not in (200, 503)}
    report.none("answers to the crowd that are neither 200 nor 503", wrong, sum(wrong.values()))


def _judge_voice(report: Report, heard: Calls, began: float, over: float) -> None:
    report.faults += heard.bad()
    voice = [each for each in heard.of("voice") if began <= each.at <= over]
    unasked = sum("<Gather" not in each.body for each in voice)
    report.told["callers who were put through unasked"] = f"{unasked} of {len(voice)}"
    if unasked > MOST_UNASKED * len(voice):
        report.slow.append(f"{unasked} of {len(voice)} callers were put through unasked")
    waits = sorted(each.seconds for each in heard.of("voice", "turn") if began <= each.at <= over)
    report.told["webhooks meanwhile"] = len(waits)
    report.most("TwiML after at most", waits[-1], MOST_SECONDS)
    report.most("TwiML in nineteen of twenty after", waits[round(0.95 * len(waits)) - 1], MOST_MOSTLY)


def _judge_afterwards(report: Report, heard: Calls, probed: list[Heard], over: float) -> None:
    """Normal: the API's clients are served, and nobody waits."""
    all_heard = [each for each in (*heard.heard, *probed) if each.at > over]
    odd = [each.at for each in all_heard if each.seconds > _NORMAL_SECONDS or each.status not in (200, 204)]
    report.most("back to normal after", max(odd, default=over) - over, MOST_UNTIL_NORMAL)
