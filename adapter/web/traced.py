"""A span around every request that has a route of ours. Leaves out: what a span is (`adapter.tracing`)."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flask import Flask, Response, g, request

from adapter.tracing import Attributes, Tracing


def install(app: Flask, tracing: Tracing) -> None:
    """After `problems.install`, which gives requests their ids."""

    @app.before_request
    def begin() -> None:
        if request.url_rule is None:
            return
        # The rule, never the address: a webhook by GET has numbers in it, and a customer's has their reference.
        span: AbstractContextManager[Attributes] = tracing.request(
            f"{request.method} {request.url_rule.rule}", dict(request.headers)
        )
        g.span, g.told = span, span.__enter__()

    @app.after_request
    def note(response: Response) -> Response:
        if "told" in g:
            g.told |= {
                "http.request.method": request.method,
                "http.route": request.url_rule.rule if request.url_rule else "",
                "http.response.status_code": response.status_code,
                "sticky_calls.request_id": response.headers.get("X-Request-Id", ""),
            }
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        span = g.pop("span", None)
        if span is not None:
            span.__exit__(None, None, None)
