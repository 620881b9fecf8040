"""How long a view takes, told to whoever counts. Leaves out: what is counted (`adapter.metrics`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from time import perf_counter

from flask import Response

from adapter.metrics import Metrics

View = Callable[..., Response]


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
