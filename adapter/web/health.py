"""GET /v1/health: whether this service can do its work (reference, GET /v1/health). Needs no key, counts nowhere."""

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
