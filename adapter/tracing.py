"""Spans of requests and transactions, for OpenTelemetry: only where `tracing.endpoint` is set (extra `otel`).

Nothing of a caller's is in a span: addresses are told as routes, and of a request only its id, by which the log finds
it. Nothing of OpenTelemetry is imported before a `Tracing` is made. Leaves out: where spans begin (`web.traced`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from adapter.errors import ConfigError

Attributes = dict[str, str | int]
_SERVICE = "sticky-calls"


class Tracing:
    """One process's. Spans are sent by a thread of its own; what cannot be sent is let go."""

    def __init__(self, endpoint: str, version: str, exporter: Any = None) -> None:
        """`endpoint`: of an OTLP collector, http://127.0.0.1:4318/v1/traces. `exporter`: in place of the real one.

        ConfigError when the extra is not installed.
        """
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        except ImportError:
            advice = "run `pip install 'sticky-calls-adapter[otel]'`"
            raise ConfigError([f"tracing.endpoint: OpenTelemetry is not installed; {advice}"]) from None
        provider = TracerProvider(resource=Resource.create({"service.name": _SERVICE, "service.version": version}))
        sender = BatchSpanProcessor(_exporter(endpoint)) if exporter is None else SimpleSpanProcessor(exporter)
        provider.add_span_processor(sender)
        self._tracer: Any = provider.get_tracer(_SERVICE, version)

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str]) -> Iterator[Attributes]:
        """A span of a request, part of the caller's trace when it sends one (W3C traceparent). What is put into the
        attributes that are given is told of it."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        told: Attributes = {}
        parent = TraceContextTextMapPropagator().extract({name.lower(): value for name, value in headers.items()})
        with self._span(name, parent, SpanKind.SERVER) as span:
            try:
                yield told
            finally:
                span.set_attributes(told)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A span of one piece of work of the store, the wait for its turn included."""
        from opentelemetry.trace import SpanKind

        with self._span("transaction", None, SpanKind.INTERNAL):
            yield

    @contextmanager
    def _span(self, name: str, parent: Any, kind: Any) -> Iterator[Any]:
        """What an exception says may be about a value: its kind is enough."""
        from opentelemetry.trace import Status, StatusCode

        quiet = {"record_exception": False, "set_status_on_exception": False}
        with self._tracer.start_as_current_span(name, parent, kind, **quiet) as span:
            try:
                yield span
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def _exporter(endpoint: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint)
