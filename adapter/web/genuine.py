"""Whether a webhook is Twilio's own, and what it says: the signature over the address as it came over the wire.

Leaves out: the algorithm (`twilio.signature`), and what is done with the fields (`web.voice`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from adapter.twilio.forms import duplicated
from adapter.twilio.signature import Fields, is_genuine, public_url

_LOG = logging.getLogger(__name__)
# A voice webhook is a few kilobytes, with the results of add-ons some hundred; anything near this is no webhook.
_MAX_BYTES = 1024 * 1024


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
    url = public_url(base_url, request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", ""))
    fields = given_fields()
    fitting = tokens.get(value(fields, "AccountSid")) or tokens.get("*", ())
    signature = request.headers.get("X-Twilio-Signature", "")
    if not is_genuine(url, form, signature, fitting):
        _LOG.warning("webhook refused: signature does not fit %s (%s)", url.partition("?")[0], _why(signature, fitting))
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


def _why(signature: str, tokens: tuple[str, ...]) -> str:
    if not signature:
        return "no signature"
    return "wrong token, or Twilio was told another URL" if tokens else "no auth token for this account"
