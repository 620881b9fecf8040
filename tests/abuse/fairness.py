"""One organization's flood next to another's calls: how long does the other one wait?

A real server with two workers, 32 kept connections that send without a pause, and beside them ten calls a second of
somebody else, each measured from the moment it was due. All share the machine's processors, so that the flood's client
takes its share, too: that is the smallest machine, not the fairest.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask

from adapter.usecases import admission
from tests import databases, serving
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.benchmarks import load, pace
from tests.benchmarks.load import Measured
from tests.builders import call_sid
from tests.serving import Request, Server

FLOODERS = 32
_QUIET_PER_SECOND = 10.0
# Who waits for longer than 1 s is greeted neutrally.
MOST_MS = 1_000.0
FLOODS = ("none", "over its rate", "within its rate", "made-up keys", "forged webhooks")


@dataclass(frozen=True, slots=True)
class Heard:
    """The quiet organization's answers during one flood; `flooded`: requests a second that the flood got answered."""

    flood: str
    quiet: Measured
    flooded: float


def examine(
    seconds: float, store: str = "sqlite", bug: bool = False, floods: tuple[str, ...] = FLOODS, most_ms: float = MOST_MS
) -> Findings:
    """What the quiet one heard during each flood. `bug`: a server in which who hammers is made to wait (`build`)."""
    url = databases.postgresql.bare() if store == "postgresql" else None
    app = f"{__name__}:build()" if bug else "tests.serving:build()"
    organizations = (
        {"id": "quiet", "tier": "unlimited"},
        {"id": "over", "tier": "free", "monthly": "unlimited"},
        {"id": "within", "tier": "unlimited"},
    )
    findings = Findings()
    with (
        in_memory() as folder,
        serving.serving(folder, *organizations, workers=2, threads=8, database_url=url, app=app) as server,
    ):
        keys = {str(each["id"]): server.key(str(each["id"])) for each in organizations}
        for flood in floods:
            _judge(_heard(server, keys, flood, seconds), most_ms, findings)
    return findings


def _judge(heard: Heard, most_ms: float, findings: Findings) -> None:
    quiet = heard.quiet
    findings.tried += len(quiet.latencies)
    findings.told[f"{heard.flood}: flood, requests/s"] = round(heard.flooded)
    findings.told[f"{heard.flood}: quiet, p50 ms"] = round(quiet.median_ms)
    findings.told[f"{heard.flood}: quiet, p99 ms"] = round(quiet.percentile(99))
    if quiet.failures:
        findings.fault("calls of the quiet one failed", (heard.flood, quiet.statuses))
    if quiet.percentile(99) > most_ms:
        findings.fault("the quiet one waits", (heard.flood, quiet.percentile(99)))


def _heard(server: Server, keys: dict[str, str], flood: str, seconds: float) -> Heard:
    _ = pace.at_rate(server.port, _quiet(server, keys["quiet"]), 50, 1)  # both workers have warmed up
    if flood == "none":
        return Heard(flood, pace.at_rate(server.port, _quiet(server, keys["quiet"]), _QUIET_PER_SECOND, seconds), 0)
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    crowd = context.Process(target=_pour, args=(server.port, _flood(server, keys, flood, seconds), seconds + 2, told))
    crowd.start()
    assert told.get() == "began"
    time.sleep(1)  # until the flood is there
    quiet = pace.at_rate(server.port, _quiet(server, keys["quiet"]), _QUIET_PER_SECOND, seconds)
    flooded = told.get()
    crowd.join()
    return Heard(flood, quiet, flooded)


def _pour(port: int, requests: list[list[bytes]], seconds: float, told: multiprocessing.SimpleQueue[object]) -> None:
    told.put("began")
    told.put(load.run(port, requests, seconds).per_second)


def _flood(server: Server, keys: dict[str, str], flood: str, seconds: float) -> list[list[bytes]]:
    """For each connection more than it will come to send."""
    return [
        list(itertools.islice(_one(server, keys, flood, place), round(120 * (seconds + 3))))
        for place in range(FLOODERS)
    ]


def _one(server: Server, keys: dict[str, str], flood: str, place: int) -> Iterator[bytes]:
    for number in itertools.count():
        unique = place * 1_000_000 + number
        if flood == "forged webhooks":
            forged = server.webhook(
                "voice", serving.line_number(1), call_sid(unique), serving.caller_number(unique % 10**7)
            )
            yield _bytes(
                Request("POST", forged.path, {**forged.headers, "X-Twilio-Signature": "A" * 27 + "="}, forged.body)
            )
        else:
            made_up = f"sk_prod_{unique:08d}".translate(_DIGITS) + "x" * 43
            key = {"over its rate": keys["over"], "within its rate": keys["within"]}.get(flood, made_up)
            yield _bytes(_start(key, f"flood-{unique}", serving.caller_number(unique % 10**7)))


# A key's public characters have neither 0 nor 1.
_DIGITS = str.maketrans("01", "zy")


def _quiet(server: Server, key: str) -> Iterator[bytes]:
    """API and telephone in turns."""
    for number in itertools.count(time.monotonic_ns() % 10**9):
        caller = serving.caller_number(number % 10**7)
        yield _bytes(_start(key, f"quiet-{number}", caller))
        yield _bytes(server.webhook("voice", serving.line_number(0), call_sid(number), caller))


def _start(key: str, call_id: str, ani: str) -> Request:
    body = json.dumps({"call_id": call_id, "identity_hints": {"ani": ani}})
    return Request("POST", "/v1/calls/start", {"Authorization": f"Bearer {key}"}, body)


def _bytes(request: Request) -> bytes:
    body = request.body.encode()
    headers = {"Host": "localhost", "Content-Length": str(len(body)), **request.headers}
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def build() -> Flask:
    """gunicorn's door to a server that makes who hammers wait, and with them everybody's threads: for the positive
    control."""
    app, refused = serving.build(), admission.limits.admit

    def patiently(*given: Any) -> Any:
        answer = refused(*given)
        if answer[1] is not None:
            time.sleep(0.5)
        return answer

    admission.limits.admit = patiently
    return app
