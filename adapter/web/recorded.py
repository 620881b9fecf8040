"""Webhooks, and API calls that saved something, offered to a recorder once they are answered. Whatever a recorder does,
the answer is given.

Leaves out: what is kept of them, and how (`replay.recording`, `replay.pseudonyms`). Reads and refused API calls are not
offered: they save nothing, so a replay does not miss them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol
from urllib.parse import quote

from flask import Response, g, request

from adapter.engine.flow import Step
from adapter.engine.line import Line
from adapter.engine.model import Call, Millis, Principal
from adapter.twilio.events import line_for, line_of
from adapter.usecases.receipt import receipt

from .genuine import given_fields, value

_LOG = logging.getLogger(__name__)
_REFUSED = 403  # not Twilio's: it never happened
_WRITES = frozenset({"POST", "DELETE"})
_SAVED = 200

View = Callable[..., Response]


class Recorder(Protocol):
    """Takes a webhook with its answer; returns at once. `target`: path and query as they came over the wire."""

    def record(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        *,
        status: int,
        content_type: str,
        body: str,
        receipt: Mapping[str, object] | None = None,
        at: Millis | None = None,
        sent: object = None,
        key: tuple[str, str] | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """`numbers`: of the lines whose calls are recorded, as configured; `keys`: organization and mode of these lines,
    whose API calls are recorded, too. None: all."""

    recorder: Recorder
    now: Callable[[], Millis]
    numbers: frozenset[str] | None = None
    keys: frozenset[tuple[str, str]] | None = None


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


def record_api_call(
    recording: Recording | None, principal: Principal, sent: object, response: Response, at: Millis
) -> None:
    """The present request to the API, answered so. `sent`: its JSON. Never raises."""
    key = (principal.organization, principal.mode.value)
    if recording is None or request.method not in _WRITES or response.status_code != _SAVED:
        return
    if recording.keys is not None and key not in recording.keys:
        return
    try:
        recording.recorder.record(
            request.method,
            quote(request.path),  # without a query, which the API does not look at
            (),
            dict(request.headers),
            status=response.status_code,
            content_type=response.headers.get("Content-Type", ""),
            body=response.get_data(as_text=True),
            at=at,
            sent=sent,
            key=key,
        )
    except Exception as error:  # noqa: BLE001 - as above
        _LOG.error("API call not recorded: %s", type(error).__name__, exc_info=error)


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
