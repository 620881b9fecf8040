"""Does the app do what its own description says? Schemathesis asks, over HTTP, with every check it has.

Over HTTP, because its WSGI transport cannot run all of them (ignored_auth ends in a TypeError in 4.32).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from adapter.app import create_app
from adapter.web.openapi.document import ADDRESS
from tests import databases
from tests.builders import CountedIds, ToldClock, a_config, issue_key

# Which customer_refs are known; the same name in both forms; both forms' length together; what may be anywhere inside a
# resolution, and its length as JSON.
UNSAYABLE = ("unknown here", "is named twice in this request", "together", "resolution must not hold", "of JSON")
PHASES = ["examples", "coverage", "fuzzing", "stateful"]


@dataclass
class Findings:
    """`failures`: one line for each kind of failure at each operation, with the request that shows it."""

    cases: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        return not self.failures and not self.errors

    def note(self, event: object) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._scenario(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            self.errors.append(_text_of_error(event))

    def _scenario(self, recorder: Any) -> None:
        self.cases += len(recorder.interactions)
        for interaction in recorder.interactions.values():
            if interaction.response is not None:
                self.answers[interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            interaction = recorder.interactions.get(case_id)
            for check in checks:
                if check.status is Status.FAILURE and not _is_excused(check, interaction):
                    failure = check.failure_info.failure
                    name = f"{recorder.label}: {check.name}: {failure.title}"
                    told = interaction.response.content[:500] if interaction and interaction.response else b""
                    self.failures.setdefault(name, f"{failure.message}\n  {told!r}\n  {check.failure_info.code_sample}")


def examine(cases: int, seed: int, phases: list[str] | None = None) -> Iterator[Findings]:
    """The findings so far, after every round, until there were `cases` requests. One new database a round."""
    findings = Findings()
    while findings.cases < cases:
        with TemporaryDirectory() as folder:
            run(Path(folder), findings, min(1_000, max(5, (cases - findings.cases) // 40)), seed, phases or PHASES)
        seed += 1
        yield findings


def run(folder: Path, findings: Findings, examples: int, seed: int, phases: list[str]) -> None:
    """One round: at most `examples` requests an operation and phase."""
    config = a_config(folder)
    databases.brought_up_to_date(config.database.url)
    app = create_app(config, clock=ToldClock(), ids=CountedIds())
    config = SchemathesisConfig()
    config._seed = seed
    project = config.projects.default
    project.update(headers={"Authorization": f"Bearer {issue_key(app)}"}, continue_on_failure=True)
    project.phases.update(phases=phases)
    project.checks.update(included_check_names=["all"])
    project.generation.update(max_examples=examples, database="none", no_shrink=True)
    try:
        with served(app) as address:
            schema = schemathesis.openapi.from_url(address + ADDRESS, config=config)
            for event in from_schema(schema).execute():
                findings.note(event)
    finally:
        app.extensions["sticky-calls"].store.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(WSGIRequestHandler):
    """Silent, and keeps connections open: a new one for each of ten thousand requests would take minutes."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


def _is_excused(check: Any, interaction: Any) -> bool:
    return _is_our_word(check, interaction) or _is_a_call(check, interaction)


def _is_a_call(check: Any, interaction: Any) -> bool:
    """GET /v1/calls/start shows a call that is named "start", if there is one: in OpenAPI a path has one meaning."""
    if interaction is None or interaction.response is None:
        return False
    request, response = interaction.request, interaction.response
    path = urlsplit(request.uri).path
    if path not in ("/v1/calls/start", "/v1/calls/end") and not path.endswith("/identity"):
        return False
    allowed = {each for header in response.headers.get("allow", ()) for each in header.split(", ")}
    return check.name == "allow_header_conformance" and allowed == {"GET", "HEAD", "OPTIONS", "POST"}


def _is_our_word(check: Any, interaction: Any) -> bool:
    """A refusal for a rule that no JSON Schema can say (semantics §7), and for nothing else beside it."""
    if check.name != "positive_data_acceptance" or interaction is None or interaction.response.status_code != 400:
        return False
    issues = json.loads(interaction.response.content)["details"]["issues"]
    return all(any(words in issue["message"] for words in UNSAYABLE) for issue in issues)


def _text_of_error(event: Any) -> str:
    problem = getattr(event, "value", None) or getattr(event, "exception", None)
    return f"{getattr(event, 'label', '')}: {type(problem).__name__}: {problem}"
