"""Webhooks, offered to a recorder once they are answered. Leaves out: what is kept of them (`replay.recording`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flask import Response, g, request

from adapter.engine.flow import Step
from adapter.engine.line import Line
from adapter.engine.model import Call, Millis
from adapter.twilio.events import line_for, line_of
from adapter.usecases.receipt import receipt
from adapter.web.recording import Recording

from .genuine import given_fields, value

_LOG = logging.getLogger(__name__)
_REFUSED = 403  # not Twilio's: it never happened

View = Callable[..., Response]


def recorded(view: View, recording: Recording | None, lines: tuple[Line, ...]) -> View:
    """The view, its webhooks recorded. Without a recording it is the view itself."""
    if recording is None:
        return view

    @wraps(view)
    def answer(**parts: str) -> Response:
        at = recording.now()
        response = view(**parts)
        try:
            if response.status_code != _REFUSED:
                _offer(recording, lines, parts.get("key"), response, at)
        except Exception as error:  # noqa: BLE001 - a recording is worth less than the call it records
            _LOG.error("webhook not recorded: %s", type(error).__name__, exc_info=error)
        return response

    return answer


def note(recording: Recording | None, step: Step, call: Call | None, reason: str = "") -> None:
    """What was decided for the present request, if anybody wants to know."""
    if recording is not None:
        g.decided = (step, call, reason)


def _offer(recording: Recording, lines: tuple[Line, ...], key: str | None, response: Response, at: Millis) -> None:
    fields = given_fields()
    if not _is_wanted(recording.numbers, lines, fields, key):
        return
    decided: Any = g.get("decided")
    recording.recorder.record(
        request.method,
        request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", ""),
        fields,
        dict(request.headers),
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        body=response.get_data(as_text=True),
        receipt=receipt(*decided) if decided else None,
        at=at,
    )


def _is_wanted(
    numbers: frozenset[str] | None, lines: tuple[Line, ...], fields: Sequence[tuple[str, str]], key: str | None
) -> bool:
    """The leg of who answers has another To: there the line stands in the address."""
    if numbers is None:
        return True
    account = value(fields, "AccountSid")
    line = line_of(lines, account, key) if key else line_for(lines, account, value(fields, "To"))
    return line is not None and line.number in numbers
