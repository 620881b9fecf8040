"""What gunicorn itself refuses (no request line, headers too long, broken chunks), in the form of all our errors.

gunicorn answers HTML and logs what was sent, a webhook's address with its numbers and names among it. Leaves out: what
gunicorn refuses.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from gunicorn.http import errors  # type: ignore[import-untyped]

from adapter.clock import RandomIds

_STATUSES: dict[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
    errors.ForbiddenProxyRequest: 403,
    # What an app tried to answer with, or was configured with: our mistake.
    errors.InvalidResponseHeader: 500,
    errors.InvalidResponseHeaderName: 500,
    errors.ConfigurationProblem: 500,
}
_MESSAGES = {
    414: "The address is too long",
    431: "The headers are too long or too many",
    500: "Internal server error; quote the X-Request-Id header when you ask about it",
}
_OTHERWISE = "The request could not be understood"


def status_of(error: Exception) -> int:
    """500 for what is no mistake of the client's."""
    return _STATUSES.get(type(error), 400 if isinstance(error, errors.ParseException) else 500)


def refusal(status: int) -> tuple[bytes, str]:
    """The whole answer, after which the connection is closed, and its request id."""
    request_id, phrase = RandomIds().request_id(), HTTPStatus(status).phrase
    body = json.dumps({"error": phrase, "message": _MESSAGES.get(status, _OTHERWISE)}, separators=(",", ":"))
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Request-Id: {request_id}\r\n\r\n"
    )
    return (head + body).encode("ascii"), request_id
