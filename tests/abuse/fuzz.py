"""A million requests of strangers, in process: none may end in a 500, a traceback, or the wrong kind of answer.

Leaves out: which requests (`strangers`), and what a server does before the app is asked (`sockets`).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from adapter.engine.model import Mode
from adapter.web.rest import api
from adapter.web.webhooks import voice
from tests import databases
from tests.abuse.findings import Findings
from tests.abuse.places import in_memory
from tests.abuse.planted import Bug, planted
from tests.abuse.strangers import Asked, Stranger
from tests.builders import issue_key
from tests.conformance.wire import Reply, an_app, ask, is_json, is_twiml

_METHODS = {"GET", "POST", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"}


def examine(count: int, seed: int, store: str = "sqlite", bug: str | None = None) -> Findings:
    """What came of `count` requests to one app. `bug`: one of `BUGS`, planted in it."""
    databases.kind = store
    findings = Findings()
    with (
        in_memory() as folder,
        an_app(folder) as app,
        planted(BUGS, bug),
        _tracebacks(findings),
    ):
        stranger = Stranger(random.Random(seed), (issue_key(app), issue_key(app, mode=Mode.TEST)))
        for _ in range(count):
            judge(app, stranger.request(), findings)
    databases.postgresql.take_back()
    return findings


def judge(app: Flask, asked: Asked, findings: Findings) -> None:
    """Send it and look at the answer."""
    findings.tried += 1
    try:
        reply = ask(app, asked.method, asked.target, asked.body, **_as_wsgi_has_them(asked.headers))
    except Exception as error:  # noqa: BLE001 - it would have ended the request of a real server
        findings.fault(f"raised {type(error).__name__}", asked)
        return
    findings.answers[str(reply.status)] += 1
    if reply.status >= 500:
        findings.fault(f"status {reply.status}", (asked, reply))
    elif not _has_its_form(asked, reply):
        findings.fault("an answer of the wrong kind", (asked, reply))


def _has_its_form(asked: Asked, reply: Reply) -> bool:
    path = asked.target.partition("?")[0]
    if asked.method not in _METHODS or asked.method == "OPTIONS" or reply.status == 204:
        return True
    if path.startswith("/twilio/") and reply.status == 200:
        return is_twiml(reply, asked.method)
    return not path.startswith("/v1/") or is_json(reply, asked.method)


def _as_wsgi_has_them(headers: dict[str, str]) -> dict[str, str]:
    """Bytes as Latin-1 (PEP 3333), without what no server lets through."""
    latin = {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in headers.items()}
    return {name: value.translate({0: None, 10: None, 13: None}) for name, value in latin.items()}


@contextmanager
def _tracebacks(findings: Findings) -> Iterator[None]:
    """Whatever is logged with a traceback is a fault, though the answer be fine."""

    class Net(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[0] is not None:
                findings.fault(f"traceback of {record.exc_info[0].__name__}", self.format(record))

    logger, net = logging.getLogger("adapter"), Net(logging.ERROR)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(net)
    # What is refused on purpose would fill the terminal.
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(net)
        logger.setLevel(level)
        logger.propagate = propagate


# Mistakes that somebody could make, each seen by another part of the judge.
BUGS: dict[str, Bug] = {
    # A customer_ref is taken as it comes.
    "ref": (api, "_known_form", lambda ref: ref),
    # A turn's number is read as Python reads numbers; the caller is served all the same, so only the log tells.
    "number": (voice, "_number", int),
}
