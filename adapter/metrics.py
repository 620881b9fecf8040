"""What a running service counts and times, for Prometheus: every metric with its name, its labels and its help.

Nothing of a caller's is ever a label: organizations, kinds and outcomes only, all of them few. With several workers
each writes to a file of its own below `FOLDER`, and a scrape of any of them adds all up, ended ones included.
Leaves out: who may read them (`web.scrape`), where they are counted (`web`), the folder (`cli.serving.metrics`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

# The environment variable by which prometheus_client knows that several processes belong together; it is read when that
# package is first imported, which is why this module imports it late.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 15)
_CONFIDENCE = tuple(tenth / 10 for tenth in range(1, 11))


class Metrics:
    """The collectors of one process. Nothing here raises or waits; an observation costs some microseconds."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._registry = CollectorRegistry()

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"sticky_calls_{name}", told, labels, registry=self._registry)

        def histogram(name: str, told: str, *labels: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
            return Histogram(f"sticky_calls_{name}", told, labels, registry=self._registry, buckets=buckets)

        told = "Callers greeted, by what was recommended; neutral: without their memory, and for which reason."
        self._greetings = counter("greetings", told, "organization", "recommendation", "reason")
        told = "How sure it was who is calling, 0 to 1."
        self._confidence = histogram("confidence", told, "organization", buckets=_CONFIDENCE)
        told = "What came of asking callers who they are: verified, refuted, wrong_answer, identified."
        self._proofs = counter("proofs", told, "organization", "outcome")
        told = "What callers were answered: ask, hand_over, record, hang_up."
        self._steps = counter("steps", told, "organization", "step")
        told = "From a webhook to its answer; status 403: it was not Twilio's."
        self._webhooks = histogram("webhook_seconds", told, "webhook", "status")
        self._requests = histogram("api_seconds", "From an API request to its answer.", "route", "status")
        self._shed = counter("api_refused_busy", "Requests to the API that were refused to serve callers first.")
        told = "One transaction of the store, waiting for its turn included."
        self._store = histogram("store_seconds", told, "outcome")
        for outcome in ("done", "failed"):  # shown as 0 from the start: the first failure is a change, not a beginning
            self._store.labels(outcome)

    def greeted(self, organization: str, recommendation: str, reason: str, confidence: float | None) -> None:
        """A caller's first step. `confidence` None: there was nobody to be sure of."""
        self._greetings.labels(organization, recommendation, reason).inc()
        if confidence is not None:
            self._confidence.labels(organization).observe(confidence)

    def proved(self, organization: str, outcome: str) -> None:
        """`outcome`: verified, refuted, wrong_answer, identified."""
        self._proofs.labels(organization, outcome).inc()

    def stepped(self, organization: str, step: str) -> None:
        """`step`: ask, hand_over, record, hang_up."""
        self._steps.labels(organization, step).inc()

    def webhook(self, kind: str, status: int, seconds: float) -> None:
        """`kind`: voice, turn, whisper, fallback, status."""
        self._webhooks.labels(kind, str(status)).observe(seconds)

    def request(self, route: str, status: int, seconds: float) -> None:
        """`route`: the name of one of the API's, such as start_call."""
        self._requests.labels(route, str(status)).observe(seconds)

    def shed(self) -> None:
        """A request to the API was refused for want of threads."""
        self._shed.inc()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Around one transaction."""
        began, outcome = perf_counter(), "failed"
        try:
            yield
            outcome = "done"
        finally:
            self._store.labels(outcome).observe(perf_counter() - began)

    def page(self, now: Iterable[Measured] = ()) -> bytes:
        """All metrics in Prometheus' text format. `now`: gauges measured just for this page."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        counted = self._registry
        if os.environ.get(FOLDER):
            counted = CollectorRegistry()
            multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        measured = CollectorRegistry()
        measured.register(_Gauges(tuple(now)))
        return bytes(generate_latest(counted)) + bytes(generate_latest(measured))


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of one of GAUGES at this moment. `labels`: the values of its labels, in their order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


# Measured when the page is asked for: what it tells, and its labels.
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "database_up": ("1 when the database answers.", ()),
    "inbox_events": ("Events kept on this machine until the database takes them.", ()),
    "build_info": ("Always 1: the version that answers.", ("version",)),
    "quota_used": ("Billable calls of this month.", ("billing_account",)),
    "quota_limit": ("Billable calls that a month has; none when it is unlimited.", ("billing_account",)),
    "rate_used": ("Requests admitted in the rolling window.", ("organization",)),
    "rate_limit": ("Requests a window has before its grace; none when it is unlimited.", ("organization",)),
}


class _Gauges:
    """Not prometheus_client's Gauge: with several processes those have files, and other workers' old values would be
    shown too."""

    def __init__(self, measured: tuple[Measured, ...]) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        from prometheus_client.core import GaugeMetricFamily

        for name, (told, labels) in GAUGES.items():
            family = GaugeMetricFamily(f"sticky_calls_{name}", told, labels=labels)
            for each in self._measured:
                if each.name == name:
                    family.add_metric(each.labels, each.value)
            if family.samples:
                yield family
