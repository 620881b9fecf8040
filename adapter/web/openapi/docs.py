"""/docs: the description of the API for people, by Swagger UI. Needs no key and asks no other host for anything.

Leaves out: the description itself (`document`).
"""

from __future__ import annotations

import base64
import hashlib
import re

from flask import Blueprint, Response
from flask_swagger_ui import get_swaggerui_blueprint  # type: ignore[import-untyped]

from .document import ADDRESS, TITLE

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_OPTIONS = {
    "app_name": TITLE,
    # null: no badge, which would send the description's address to validator.swagger.io.
    "validatorUrl": None,
    # Else the page takes it from the request's Host header, unescaped.
    "oauth2RedirectUrl": "/docs/oauth2-redirect.html",
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
    "persistAuthorization": False,
}


def build() -> Blueprint:
    """The blueprint of /docs: Swagger UI from its package's own files."""
    pages: Blueprint = get_swaggerui_blueprint("/docs", ADDRESS, config=_OPTIONS, blueprint_name="docs")
    pages.after_request(_confine)
    return pages


def _confine(response: Response) -> Response:
    """A page that shows people's API keys and data may run its own scripts and talk to this host, nothing else."""
    made_here = response.mimetype == "text/html" and not response.direct_passthrough  # a file cannot be read again
    inline = _INLINE_SCRIPT.search(response.get_data(as_text=True)) if made_here else None
    scripts = f" 'sha256-{_digest(inline.group(1))}'" if inline else ""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
