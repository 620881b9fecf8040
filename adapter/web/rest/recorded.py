"""API calls that saved something, offered to a recorder once they are answered.

Reads and refused ones are not offered: they save nothing, so a replay does not miss them.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Response, request

from adapter.engine.model import Millis, Principal
from adapter.web.recording import Recording

_LOG = logging.getLogger(__name__)
_WRITES = frozenset({"POST", "DELETE"})
_SAVED = 200


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
    except Exception as error:  # noqa: BLE001 - a recording is worth less than the call it records
        _LOG.error("API call not recorded: %s", type(error).__name__, exc_info=error)
