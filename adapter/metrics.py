"""What a running service counts and times, for Prometheus: every metric with its name, its labels and its help.

Nothing of a caller's is ever a label: organizations, kinds and outcomes only, all of them few. With several workers
each writes to a file of its own below `FOLDER`, and a scrape of any of them adds all up, ended ones included.
Leaves out: who may read them (`web.scrape`), where they are counted (`web`), the folder (`cli.gunicorn_metrics`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

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

    def page(self, **now: float) -> bytes:
        """All metrics in Prometheus' text format. `now`: gauges measured just for this page, by name."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        # Not Gauges: with several processes they would have files, and other workers' old values would be shown too.
        shown = (_gauge(f"sticky_calls_{name}", GAUGES[name], value) for name, value in now.items())
        counted = self._registry
        if os.environ.get(FOLDER):
            counted = CollectorRegistry()
            multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(counted)) + "".join(shown).encode()


# Measured when the page is asked for.
GAUGES = {
    "database_up": "1 when the database answers.",
    "inbox_events": "Events kept on this machine until the database takes them.",
}


def _gauge(name: str, told: str, value: float) -> str:
    return f"# HELP {name} {told}\n# TYPE {name} gauge\n{name} {value}\n"
