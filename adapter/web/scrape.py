"""GET /metrics, for Prometheus alone: it shows a token of its own (`metrics.token`), without which there is no page.

Leaves out: what is counted (`adapter.metrics`).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from flask import Blueprint, Response, request

from adapter import __version__, usecases
from adapter.errors import AdapterError
from adapter.metrics import Measured, Metrics
from adapter.usecases import Service
from adapter.web.rest.guards import bearer
from adapter.web.rest.problems import UNAUTHORIZED, refuse

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def build(service: Service, metrics: Metrics, token: str) -> Blueprint:
    """The blueprint of the page: 200 with all metrics, 401 without the token."""
    blueprint = Blueprint("metrics", __name__)

    # Proxies keep the page from the world by its address: it has one.
    @blueprint.get("/metrics", strict_slashes=True)
    def page() -> Response:
        shown = bearer(request.headers.get("Authorization")) or ""
        # As bytes: compare_digest takes no other than ASCII text.
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode()):
            return refuse(UNAUTHORIZED)
        return Response(metrics.page(_measured(service)), content_type=_TEXT)

    return blueprint


def _measured(service: Service) -> Iterator[Measured]:
    yield Measured("build_info", 1, (__version__,))
    yield Measured("inbox_events", 0 if service.inbox is None else service.inbox.depth())
    is_up = usecases.health(service)
    yield Measured("database_up", is_up)
    try:
        found = usecases.consumption(service) if is_up else []
    except AdapterError:  # it was up a moment ago; the other figures are no worse for it
        return
    for each in found:
        yield Measured("rate_used", each.in_window, (each.organization,))
        if each.per_window is not None:
            yield Measured("rate_limit", each.per_window, (each.organization,))
    for month in {each.month.billing_account: each.month for each in found}.values():
        yield Measured("quota_used", month.used, (month.billing_account,))
        if month.limit is not None:
            yield Measured("quota_limit", month.limit, (month.billing_account,))
