"""GET /metrics, for Prometheus alone: it shows a token of its own (`metrics.token`), without which there is no page.

Leaves out: what is counted (`adapter.metrics`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from time import perf_counter

from flask import Blueprint, Response, request

from adapter import usecases
from adapter.metrics import Metrics
from adapter.usecases import Service

from .guards import bearer
from .problems import UNAUTHORIZED, refuse

View = Callable[..., Response]
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def build(service: Service, metrics: Metrics, token: str) -> Blueprint:
    """The blueprint of the page: 200 with all metrics, 401 without the token."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def page() -> Response:
        shown = bearer(request.headers.get("Authorization")) or ""
        # As bytes: compare_digest takes no other than ASCII text.
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode()):
            return refuse(UNAUTHORIZED)
        inbox = 0 if service.inbox is None else service.inbox.depth()
        return Response(
            metrics.page(database_up=float(usecases.health(service)), inbox_events=inbox), content_type=_TEXT
        )

    return blueprint


def timed(view: View, metrics: Metrics | None, observe: Callable[[Metrics, int, float], None]) -> View:
    """The view, each answer observed: `observe(metrics, status, seconds)`. Without metrics it is the view itself."""
    if metrics is None:
        return view

    @wraps(view)
    def answer(**parts: str) -> Response:
        began = perf_counter()
        response = view(**parts)
        observe(metrics, response.status_code, perf_counter() - began)
        return response

    return answer
