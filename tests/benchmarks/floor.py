"""The bare floor: the smallest Flask route that answers a POST with constant TwiML, whatever was asked."""

from __future__ import annotations

from flask import Flask, Response

_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Welcome.</Say><Dial>+14155550199</Dial></Response>'


def build() -> Flask:
    app = Flask("floor", static_folder=None)

    @app.post("/<path:anything>")
    def answer(anything: str) -> Response:
        return Response(_TWIML, content_type="text/xml; charset=utf-8")

    @app.get("/v1/health")
    def health() -> dict[str, str]:
        return {"status": "healthy"}

    return app
