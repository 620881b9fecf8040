"""The three answers that Twilio gets: TwiML, nothing, or no."""

from __future__ import annotations

from flask import Response


def forbidden() -> Response:
    return Response("Forbidden: the X-Twilio-Signature does not fit this request.\n", 403, mimetype="text/plain")


def nothing() -> Response:
    """204, without the content type that Flask gives to an empty answer too."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def twiml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
