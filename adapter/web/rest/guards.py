"""What stands before every route: whose key it is, how much of a body is read, what the headers say (semantics §1, §2).

Leaves out: limits and quotas, which are counted inside the use case's transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from adapter import usecases
from adapter.engine.model import IdempotencyKey, Issue

from .body import MAX_BYTES, TOO_LARGE, Body, canonical, read_json
from .commands import issues_of_idempotency_key
from .guessing import FREE_GUESSES, Guesses, client_address
from .older_dialect import Dialect, as_it_is
from .problems import UNAUTHORIZED, guessing, refuse

if TYPE_CHECKING:
    from adapter.usecases import Service


_LOG = logging.getLogger(__name__)
# What is left of a body that is too large is read up to here, in pieces.
_MOST_DRAINED, _DRAINED_AT_ONCE = 8 * 1024 * 1024, 64 * 1024


class CallIdConverter(BaseConverter):
    """A call_id in an address, slashes and all. A call named `start`, `end` or `…/identity` can be read, too: what has
    such an address of its own is asked for by another method."""

    regex = r"(?s:.+)"
    part_isolating = False


def guarded(service: Service, guesses: Guesses, handler: Callable[..., Response]) -> Callable[..., Response]:
    """`handler(principal, **address)` for whoever has a valid key; 401 for everybody else, 429 for who guesses."""

    def view(**address: Any) -> Response:
        token = bearer(request.headers.get("Authorization"))
        guesser = _guesser(service, token)
        if guesser and (seconds := guesses.wait_seconds(guesser, service.clock.steady())):
            return refuse(guessing(seconds, FREE_GUESSES, service.clock.now()))
        principal = usecases.authenticate(service, token)
        if principal is None:
            if guesser:
                guesses.note(guesser, service.clock.steady())
                # As many lines as guesses are looked at: who floods us does not fill the log.
                _LOG.warning("an API key was refused", extra={"address": client_address()})
            return refuse(UNAUTHORIZED)
        return handler(principal, **address)

    return view


def _guesser(service: Service, token: str | None) -> str:
    """To whom a wrong key is counted; "" for a key that was right before, and for what cannot be a key: neither is a
    guess."""
    prefix = None if token is None else usecases.new_prefix(service, token)
    who = "" if prefix is None else client_address()
    return who and f"{who} {prefix}".strip()


def bearer(header: str | None) -> str | None:
    """The token of `Authorization: Bearer <token>`; None for anything else."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def read_body() -> Body:
    """The request's body as JSON, whatever its Content-Type says (semantics §2), in today's words."""
    dialect: Dialect = g.get("dialect", as_it_is)
    return dialect(_read_body())


def _read_body() -> Body:
    # One more than allowed: of a body that does not tell its length, Werkzeug silently gives the part within the limit.
    request.max_content_length = MAX_BYTES + 1
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        # Not answered here: the request still counts against its organization's rate.
        _drain()
        return TOO_LARGE
    except Exception:  # noqa: BLE001 - broken chunks: each server has an error of its own for them
        return read_json(b"")
    return TOO_LARGE if len(raw) > MAX_BYTES else read_json(raw)


def _drain() -> None:
    """Read what a client still sends, within reason: unread, it would make the server drop the kept connection."""
    stream = request.environ["wsgi.input"]
    with suppress(Exception):  # broken off, or in broken chunks: each server has an error of its own for them
        for _ in range(_MOST_DRAINED // _DRAINED_AT_ONCE):
            if not stream.read(_DRAINED_AT_ONCE):
                return


def command_of(body: Body, read: Callable[[object], Any], *more: Issue) -> Any:
    """What `read` makes of the body, or every issue of body, command and headers together."""
    command = read(body.value) if body.is_json else []
    issues = [*more, *body.issues, *(command if isinstance(command, list) else ())]
    return issues or command


def idempotency_key(service: Service, body: Body) -> tuple[IdempotencyKey | None, list[Issue]]:
    """The Idempotency-Key header bound to this body, and what is wrong with it (reference, Idempotency)."""
    key = request.headers.get("Idempotency-Key")
    issues = issues_of_idempotency_key(key)
    if key is None or issues or body.issues:
        return None, issues
    return IdempotencyKey(key, service.fingerprints(canonical(body.value))), []
