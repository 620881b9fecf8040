"""Every refusal and failure as the reference's JSON (reference, Error Codes; semantics §2), never as HTML.

Denials (values a use case returned) and HTTP errors (exceptions) end in the same shape: `error`, `message`, more where
the reference has more. Leaves out: which denial it is (use cases), answers that are no problem (`render`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, has_app_context, request
from werkzeug.exceptions import HTTPException, InternalServerError

from adapter.clock import Ids
from adapter.engine.model import Conflict, Denial, Invalid, Issue, Millis, QuotaExhausted, Rate, RateExceeded
from adapter.engine.policy import SECOND
from adapter.errors import AdapterError

from .body import MAX_BYTES
from .render import timestamp, to_bytes

_LOG = logging.getLogger(__name__)
_MESSAGES = {
    400: "The request could not be understood",
    404: "There is nothing at this address",
    405: "This address does not answer this method; see the Allow header",
    413: f"The request body must not be larger than {MAX_BYTES // 1024} KiB",
    500: "Internal server error; quote the X-Request-Id header when you ask about it",
    503: "The service cannot reach its data; try again",
}
# Long enough for a write lock to become free, short enough for a caller on the line.
_UNAVAILABLE_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal on the wire."""

    status: int
    message: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON, names in the reference's order."""
        return {"error": phrase(self.status), "message": self.message, **self.more}


UNAUTHORIZED = Problem(401, "Invalid or missing API key", headers={"WWW-Authenticate": "Bearer"})
TOO_LARGE = Problem(413, _MESSAGES[413])
TOO_BUSY = Problem(503, "The service has more to do than it can; try again", headers={"Retry-After": "1"})


def guessing(seconds: int, limit: int, now: Millis) -> Problem:
    """Somebody's wrong keys, refused unseen for so many more seconds. In the form of every 429."""
    more = {"retryAfter": seconds, "currentUsage": limit, "limit": limit, "resetAt": timestamp(now + seconds * SECOND)}
    message = "Too many invalid API keys from your address; wait before trying another one."
    return Problem(429, message, more, {"Retry-After": str(seconds)})


def phrase(status: int) -> str:
    """The status' name, the same under every Python version (413 was renamed in 3.13)."""
    return "Content Too Large" if status == 413 else HTTPStatus(status).phrase


def of_denial(denial: Denial) -> Problem:
    """What a use case refused, in the reference's words."""
    match denial:
        case RateExceeded():
            return _rate_exceeded(denial)
        case QuotaExhausted():
            message = "Monthly quota exhausted. Your account has 0 API calls remaining."
            return Problem(402, message, {"quota_remaining": 0, "billing_account_id": denial.billing_account_id})
        case Conflict():
            return Problem(409, denial.message, _conflict_details(denial))
        case Invalid():
            return Problem(400, "Validation failed", {"details": {"issues": [_issue(i) for i in denial.issues]}})
    return Problem(404, f"No such {denial.what}")


def of_http_error(error: HTTPException) -> Problem:
    """What Flask or Werkzeug refused."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return Problem(status, _MESSAGES.get(status, phrase(status)), headers=headers)


def respond(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None, rate: Rate | None = None
) -> Response:
    """JSON out. `rate`: the window for the X-RateLimit headers, left out where nothing is limited."""
    response = Response(to_bytes(body), status, content_type="application/json")
    response.headers.update({**(headers or {}), **_rate_headers(rate)})
    return response


def refuse(problem: Problem, rate: Rate | None = None) -> Response:
    """A problem out."""
    return respond(problem.body(), problem.status, problem.headers, rate)


def install(app: Flask, ids: Ids) -> None:
    """Make every error of `app` JSON, and give every answer its X-Request-Id. Call before blueprints are registered."""

    def name_request() -> None:
        g.request_id = ids.request_id()

    # Werkzeug's redirects to the "right" spelling of an address are HTML pages.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.before_request(name_request)
    app.after_request(_finish)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(AdapterError, _on_adapter_error)
    app.register_error_handler(Exception, _on_failure)


def of_request() -> dict[str, str]:
    """What every line of the log that is about a request tells with it: the id in its answer's X-Request-Id."""
    return {"request_id": g.request_id} if has_app_context() and "request_id" in g else {}


def _rate_exceeded(denial: RateExceeded) -> Problem:
    return Problem(
        429,
        f"Rate limit exceeded for your tier. Limit: {denial.limit} requests/minute.",
        {
            "retryAfter": denial.retry_after_seconds,
            "currentUsage": denial.usage,
            "limit": denial.limit,
            "resetAt": timestamp(denial.reset_at),
        },
        {"Retry-After": str(denial.retry_after_seconds)},
    )


def _conflict_details(denial: Conflict) -> dict[str, Any]:
    start = None if denial.call_start is None else timestamp(denial.call_start)
    details = {"customer_ref": denial.customer_ref, "call_start": start}
    known = {name: value for name, value in details.items() if value is not None}
    return {"details": known} if known else {}


def _issue(issue: Issue) -> dict[str, Any]:
    return {"path": list(issue.path), "message": issue.message}


def _rate_headers(rate: Rate | None) -> dict[str, str]:
    if rate is None or rate.limit is None:
        return {}
    return {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(rate.remaining),
        "X-RateLimit-Reset": str(rate.reset_at),
    }


def _finish(response: Response) -> Response:
    if request.method == "OPTIONS" and response.status_code == 200:
        # Flask's own answer: an Allow header, and an empty "text/html" body.
        response.status_code = 204
        response.headers.pop("Content-Type", None)
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "application/json":
        # Answers hold personal data: no proxy or browser may keep them.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _on_http_error(error: HTTPException) -> Response:
    return refuse(of_http_error(error))


def _on_adapter_error(error: AdapterError) -> Response:
    if error.status != 503:
        return _on_failure(error)
    _LOG.error("store unavailable: %s", error.message)
    return refuse(Problem(503, _MESSAGES[503], headers={"Retry-After": str(_UNAVAILABLE_RETRY_SECONDS)}))


def _on_failure(error: Exception) -> Response:
    """The one place that catches everything: what went wrong is for the log, the request id leads there."""
    _LOG.error("request failed", exc_info=error)
    return refuse(Problem(InternalServerError.code, _MESSAGES[500]))
