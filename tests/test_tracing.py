"""Spans: only where they are wanted, of every request and transaction, and without a word about callers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapter.app import create_app
from adapter.config import Config, MetricsConfig, TracingConfig
from adapter.tracing import Tracing
from tests.builders import Api, ToldClock, Twilio, a_config, call_sid, issue_key

CALLER, NAME = "+14155550123", "Marguerite"
pytestmark = pytest.mark.sqlite


@pytest.fixture
def config(tmp_path: Path) -> Config:
    tracing = TracingConfig("http://127.0.0.1:9/v1/traces")
    return a_config(tmp_path, tracing=tracing, metrics=MetricsConfig("a-token-of-the-tests"))


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr("adapter.app.Tracing", lambda endpoint, version: Tracing(endpoint, version, exporter))
    return exporter


@pytest.fixture
def app(config: Config, clock: ToldClock, spans: InMemorySpanExporter) -> Iterator[Flask]:
    app = create_app(config, clock=clock)
    yield app
    app.extensions["sticky-calls"].store.close()


def test_a_request_is_a_span_and_its_transaction_one_below_it(app: Flask, spans: InMemorySpanExporter) -> None:
    Twilio(app.test_client()).voice(call_sid(1), CALLER)
    transaction, request = spans.get_finished_spans()[-2:]
    assert (request.name, transaction.name) == ("POST /twilio/voice", "transaction")
    assert transaction.parent is not None
    assert transaction.parent.span_id == request.context.span_id
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200


def test_a_client_s_own_trace_goes_on(app: Flask, spans: InMemorySpanExporter) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    app.test_client().get("/v1/health", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert f"{spans.get_finished_spans()[-1].context.trace_id:032x}" == trace


def test_spans_say_nothing_about_anybody(app: Flask, spans: InMemorySpanExporter) -> None:
    api = Api(app.test_client(), issue_key(app))
    ref = api.end("crm-7", identity_hints={"ani": CALLER}, variables={"name": NAME}).json["customer_ref"]
    api.customer(ref)
    api.call("crm-7")
    Twilio(app.test_client()).voice(call_sid(1), CALLER)
    app.test_client().get(f"/twilio/voice?From={CALLER}&CallSid={call_sid(2)}")
    told = json.dumps([json.loads(span.to_json()) for span in spans.get_finished_spans()])
    assert "/v1/customers/<customer_ref>" in told
    for private in (CALLER[1:], NAME, ref, "crm-7", call_sid(1), api.key):
        assert private not in told


def test_an_error_is_told_by_its_kind_alone(
    app: Flask, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(CALLER)

    monkeypatch.setattr("adapter.usecases.greeting.begin", broken)
    Twilio(app.test_client()).voice(call_sid(1), CALLER)
    told = [json.loads(span.to_json()) for span in spans.get_finished_spans()]
    assert told[-2]["status"]["status_code"] == "ERROR"
    assert CALLER[1:] not in json.dumps(told)


def test_without_an_endpoint_nothing_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from adapter.app import create_app; from adapter.config import Config, DatabaseConfig\n"
        "create_app(Config(database=DatabaseConfig('sqlite:///calls.db')))\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
