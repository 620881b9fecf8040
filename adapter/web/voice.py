"""Twilio's webhooks: signature → command → use case → TwiML (semantics §9; Twilio, "Webhooks security").

Twilio gets 403 for a bad signature and 200 with TwiML (or an empty 204) for everything else: any other status is an
error tone in a caller's ear. Leaves out: what is said (`twilio.twiml`) and what is decided (`usecases`, `engine`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from adapter.engine.flow import HandOver, Say, Step, greeting
from adapter.engine.flow.plain import Step as PlainStep
from adapter.engine.line import Line
from adapter.engine.model import Principal, Started
from adapter.errors import AdapterError
from adapter.twilio.events import Ignored, distrust, line_for, read_status, read_voice
from adapter.twilio.forms import Unusable, duplicated
from adapter.twilio.signature import Fields, is_genuine, public_url
from adapter.twilio.twiml import EMERGENCY, Speaker
from adapter.usecases import Service, hang_up_or_keep
from adapter.usecases import greet_plainly as greet

from .grace import GraceWarning

_LOG = logging.getLogger(__name__)
# A voice webhook with add-ons is a few kilobytes; anything near this is no webhook.
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class VoiceEdge:
    """What the edge needs beside the use cases. `tokens`: auth tokens by AccountSid, "*" for any account.

    `offer_lookup` is told line, AccountSid, principal and number of a caller who was greeted; it returns at once.
    """

    service: Service
    lines: tuple[Line, ...]
    tokens: Mapping[str, tuple[str, ...]] = field(repr=False)
    public_url: str
    speaker: Speaker
    grace: GraceWarning = field(default_factory=GraceWarning)
    offer_lookup: Callable[[Line, str, Principal, str], None] | None = None


def build(edge: VoiceEdge) -> Blueprint:
    """`/twilio/voice`, `/twilio/fallback` and `/twilio/status`, by GET as well as by POST (Twilio allows both)."""
    blueprint = Blueprint("twilio", __name__, url_prefix="/twilio")
    for name, speak in (("voice", _voice), ("fallback", _fallback)):
        view = _always_twiml(partial(_spoken, edge, speak))
        blueprint.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    blueprint.add_url_rule("/status", "status", partial(_status, edge), methods=["GET", "POST"])
    return blueprint


def _always_twiml(view: Callable[[], Response]) -> Callable[[], Response]:
    """Whatever breaks, the caller hears a sentence rather than "an application error has occurred"."""

    @wraps(view)
    def answer() -> Response:
        try:
            return view()
        except Exception as error:  # noqa: BLE001 - the edge's one net: a traceback must not become a dropped call
            _LOG.error("voice webhook failed: %s", type(error).__name__, exc_info=error)
            return _twiml(EMERGENCY)

    return answer


def _spoken(edge: VoiceEdge, speak: Callable[[VoiceEdge, Line, Fields], str]) -> Response:
    fields = _genuine_fields(edge)
    if fields is None:
        return Response("Forbidden: the X-Twilio-Signature does not fit this request.\n", 403, mimetype="text/plain")
    line = _line(edge, fields)
    if line is None:
        _LOG.warning("no line is configured for the dialed number; see `lines` in the configuration")
        return _twiml(EMERGENCY)
    return _twiml(speak(edge, line, fields))


def _voice(edge: VoiceEdge, line: Line, fields: Fields) -> str:
    return edge.speaker.speak(_as_step(greeting(line, _started(edge, line, fields)), line), line)


def _as_step(plain: PlainStep, line: Line) -> Step:
    return Step((Say(plain.text, line.language, plain.facts, line.voice),), HandOver(plain.destination))


def _started(edge: VoiceEdge, line: Line, fields: Fields) -> Started | None:
    """Who is calling; None when that cannot be found out now: the caller is greeted neutrally and put through."""
    command = read_voice(fields)
    if isinstance(command, Unusable):
        _LOG.warning("voice webhook not usable: %s", command.reason)
        return None
    reason = distrust(line, fields, command.hints)
    command = replace(command, hints=replace(command.hints, distrust=reason))
    try:
        principal = _principal(edge, line)
        found = greet(edge.service, principal, command)
        edge.grace.warn(line.organization, found.rate, edge.service.clock.now())
    except AdapterError as error:
        _LOG.error("caller greeted neutrally: %s", error.code)
        return None
    except Exception as error:  # noqa: BLE001 - whatever our mistake was, the caller can still be put through
        _LOG.error("caller greeted neutrally: %s", type(error).__name__, exc_info=error)
        return None
    if found.reason:
        _LOG.warning("caller greeted neutrally: %s", found.reason)
    if edge.offer_lookup is not None and command.hints.ani is not None:
        edge.offer_lookup(line, _value(fields, "AccountSid"), principal, command.hints.ani)
    return found.started


def _fallback(edge: VoiceEdge, line: Line, fields: Fields) -> str:
    """Twilio comes here when the voice URL failed: nothing is risked a second time, the call is just put through."""
    code = next((value for name, value in fields if name == "ErrorCode"), "")
    _LOG.error("Twilio fell back: error %s", code if code.isdecimal() and len(code) < 8 else "unknown")
    return edge.speaker.speak(_as_step(greeting(line, None), line), line)


def _status(edge: VoiceEdge) -> Response:
    """The terminal callback of the caller's own leg ends the call; every other one is only acknowledged."""
    fields = _genuine_fields(edge)
    if fields is None:
        return Response(status=403)
    command = read_status(fields, edge.service.clock.now())
    line = _line(edge, fields)
    if isinstance(command, Ignored) or line is None:
        return _nothing()
    try:
        if not hang_up_or_keep(edge.service, line.organization, line.mode, command):
            _LOG.error("a hang-up could neither be saved nor kept")
    except Exception as error:  # noqa: BLE001 - Twilio does not try again; an error status would only alarm its console
        _LOG.error("status webhook failed: %s", type(error).__name__, exc_info=error)
    return _nothing()


def _nothing() -> Response:
    """204, without the content type that Flask gives to an empty answer too."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def _principal(edge: VoiceEdge, line: Line) -> Principal:
    principal = edge.service.directory.principal(line.organization, line.mode)
    if principal is None:
        raise AdapterError(f"line of an unknown organization: {line.organization}")
    return principal


def _line(edge: VoiceEdge, fields: Fields) -> Line | None:
    return line_for(edge.lines, _value(fields, "AccountSid"), _value(fields, "To"))


def _genuine_fields(edge: VoiceEdge) -> Fields | None:
    """The webhook's fields when Twilio signed them, else None. The URL is the configured one, never the Host header."""
    try:
        request.max_content_length = _MAX_BYTES
        form = list(request.form.items(multi=True)) if request.method == "POST" else []
    except HTTPException:
        return None
    url = public_url(edge.public_url, request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", ""))
    query = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True, encoding="utf-8")
    fields = form if request.method == "POST" else query
    account = _value(fields, "AccountSid")
    tokens = edge.tokens.get(account) or edge.tokens.get("*", ())
    signature = request.headers.get("X-Twilio-Signature", "")
    if not is_genuine(url, form, signature, tokens):
        _LOG.warning("webhook refused: signature does not fit %s (%s)", url.partition("?")[0], _why(signature, tokens))
        return None
    if doubled := duplicated(fields):
        _LOG.warning("webhook refused: duplicated %s", ", ".join(doubled))
        return None
    return fields


def _why(signature: str, tokens: tuple[str, ...]) -> str:
    if not signature:
        return "no signature"
    return "wrong token, or Twilio was told another URL" if tokens else "no auth token for this account"


def _value(fields: Fields, wanted: str) -> str:
    return next((value for name, value in fields if name == wanted), "")


def _twiml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
