"""Whether a webhook is Twilio's own, and what it says: the signature over the address as it came over the wire.

Leaves out: the algorithm (`twilio.signature`), and what is done with the fields (`web.voice`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from adapter.twilio.forms import duplicated
from adapter.twilio.signature import Fields, is_genuine, public_url
from adapter.twilio.signature_causes import Asked, cause, shown

_LOG = logging.getLogger(__name__)
# A voice webhook is a few kilobytes, with the results of add-ons some hundred; anything near this is no webhook.
_MAX_BYTES = 1024 * 1024
_EXPLAIN_EVERY_SECONDS = 5.0
_explained_at: float | None = None


def genuine_fields(base_url: str, tokens: Mapping[str, tuple[str, ...]]) -> Fields | None:
    """The present request's fields when Twilio signed them, else None. The URL is the configured one, never the Host
    header. `tokens`: auth tokens by AccountSid, "*" for any account."""
    try:
        request.max_content_length = _MAX_BYTES
        form = list(request.form.items(multi=True)) if request.method == "POST" else []
    except RequestEntityTooLarge:
        _LOG.warning("webhook refused: too large to check its signature, more than %s KiB", _MAX_BYTES // 1024)
        return None
    except HTTPException as error:
        _LOG.warning("webhook refused: its form cannot be read (%s)", error.code)
        return None
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", "")
    url = public_url(base_url, target)
    fields = given_fields()
    fitting = tokens.get(value(fields, "AccountSid")) or tokens.get("*", ())
    signature = request.headers.get("X-Twilio-Signature", "")
    if not is_genuine(url, form, signature, fitting):
        _tell_why(url, Asked(base_url, target, _told_hosts(), form, signature), fitting)
        return None
    if doubled := duplicated(fields):
        _LOG.warning("webhook refused: duplicated %s", ", ".join(doubled))
        return None
    return fields


def given_fields() -> list[tuple[str, str]]:
    """The present request's fields, whoever sent them: the form of a POST, else the query."""
    if request.method == "POST":
        return list(request.form.items(multi=True))
    return parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True, encoding="utf-8")


def value(fields: Fields, wanted: str) -> str:
    """The first value of this name, "" when there is none."""
    return next((value for name, value in fields if name == wanted), "")


def _tell_why(url: str, asked: Asked, tokens: tuple[str, ...]) -> None:
    """Looking for the cause costs some hashes: whoever sends forgeries by the thousand must not get them all."""
    global _explained_at  # of this process; a lost update costs one look more
    now = time.monotonic()
    if _explained_at is not None and now - _explained_at < _EXPLAIN_EVERY_SECONDS:
        _LOG.warning("webhook refused: signature does not fit %s", shown(url))
        return
    _explained_at = now
    _LOG.warning("webhook refused: signature does not fit %s (%s)", shown(url), cause(asked, tokens))


def _told_hosts() -> tuple[str, ...]:
    told = (request.headers.get("Host", ""), request.headers.get("X-Forwarded-Host", ""))
    return tuple(dict.fromkeys(host for host in told if host))
