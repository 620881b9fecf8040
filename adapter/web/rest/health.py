"""Whether this service can do its work: for people and clients (reference, GET /v1/health), for load balancers
(/readyz), and whether it runs at all (/healthz). They need no key and count nowhere."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter import usecases
from adapter.usecases import Service

from .problems import respond
from .render import health


def build(service: Service) -> Blueprint:
    """The blueprint of the health check: 200 healthy, 503 with the same names when the database does not answer."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def check() -> Response:
        healthy = usecases.health(service)
        return respond(health(healthy, service.clock.now()), 200 if healthy else 503)

    return blueprint


def build_probes(service: Service) -> Blueprint:
    """/readyz: 200 where calls should go, 503 where the database cannot be used, so that callers would be put through
    without being known. /healthz: 200 from every process that answers, whatever else is broken: restarting it mends
    nothing."""
    blueprint = Blueprint("probes", __name__)

    @blueprint.get("/readyz")
    def ready() -> Response:
        return respond({"status": "ready"}) if usecases.health(service) else respond({"status": "not ready"}, 503)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return respond({"status": "alive"})

    return blueprint
