"""Whether a webhook is Twilio's own, and what it says: the signature over the address as it came over the wire.

Leaves out: the algorithm (`twilio.signature`), and what is done with the fields (`voice`).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import g, request
from werkzeug.exceptions import RequestEntityTooLarge

from adapter.twilio.forms import duplicated
from adapter.twilio.signature import Fields, has_form, is_genuine, public_url
from adapter.twilio.signature_causes import Asked, cause, shown

_LOG = logging.getLogger(__name__)
# A voice webhook is a few kilobytes, with the results of add-ons some hundred; anything near this is no webhook.
_MAX_BYTES = 1024 * 1024
# It has some dozen fields. A megabyte of empty ones would cost a stranger nothing and us a third of a second.
_MAX_FIELDS = 1_000
_MAX_JSON_BYTES = 64 * 1024  # no webhook of a call is JSON by itself, so none with add-ons is
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_EXPLAIN_EVERY_SECONDS = 5.0
_explained_at: float | None = None


def genuine_fields(base_url: str, tokens: Mapping[str, tuple[str, ...]]) -> Fields | None:
    """The present request's fields when Twilio signed them, else None. The URL is the configured one, never the Host
    header. `tokens`: auth tokens by AccountSid, "*" for any account."""
    signature = request.headers.get("X-Twilio-Signature", "")
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", "")
    url = public_url(base_url, target)
    if not has_form(signature):
        # Nothing of its body is read: a stranger's request is to cost us less than it costs them.
        _tell_why(url, Asked(base_url, target, (), (), signature), next(iter(tokens.values()), ()))
        return None
    form = _form()
    if form is None:
        return None
    fields = given_fields()
    # Of a JSON body only the hash is signed, as a part of the URL.
    body = request.get_data() if _is(_JSON) else None
    signed = form if body is None else []
    fitting = tokens.get(value(fields, "AccountSid")) or tokens.get("*", ())
    if not is_genuine(url, signed, signature, fitting, body):
        _tell_why(url, Asked(base_url, target, _told_hosts(), signed, signature), fitting)
        return None
    if doubled := duplicated(fields):
        _LOG.warning("webhook refused: duplicated %s", ", ".join(doubled))
        return None
    return fields


def _form() -> list[tuple[str, str]] | None:
    """The posted fields, [] when there are none; None for one that is none of Twilio's, and the log says why."""
    if request.method != "POST":
        return []
    request.max_content_length = request.max_form_memory_size = _MAX_BYTES
    try:
        posted = request.get_data(parse_form_data=False)
        if _is(_JSON) and len(posted) <= _MAX_JSON_BYTES:
            g.form = _members(posted)
            return given_fields()
        if not _is(_FORM) or posted.count(b"&") >= _MAX_FIELDS:
            _LOG.warning("webhook refused: no form, or one of more than %s fields", _MAX_FIELDS)
            return None
        # What Werkzeug does for `request.form`, without the four classes around it.
        g.form = parse_qsl(posted.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
        return given_fields()
    except RequestEntityTooLarge:
        _LOG.warning("webhook refused: too large to check its signature, more than %s KiB", _MAX_BYTES // 1024)
    except Exception as error:  # noqa: BLE001 - broken chunks: each server has an error of its own for them
        _LOG.warning("webhook refused: its form cannot be read (%s)", type(error).__name__)
    return None


def _is(kind: str) -> bool:
    given: str = request.environ.get("CONTENT_TYPE", "")
    return request.method == "POST" and given.partition(";")[0].strip().lower() == kind


def _members(posted: bytes) -> list[tuple[str, str]]:
    """The texts in a JSON object; a doubled name stays doubled. ValueError or TypeError for what is none."""
    return [(str(name), told) for name, told in json.loads(posted, object_pairs_hook=list) if isinstance(told, str)]


def given_fields() -> list[tuple[str, str]]:
    """The present request's fields: the form of a POST as `genuine_fields` has read it, else the query."""
    if request.method == "POST":
        form: list[tuple[str, str]] = g.get("form", [])
        return form
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
