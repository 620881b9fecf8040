"""Twilio's Call Events: every webhook of a call with its answer, kept by Twilio for 30 days and to be had 15 minutes
after its end (Twilio, "Events subresource"). Field names come in snake_case there and are turned back.

Leaves out: the order of webhooks within one second, which Twilio does not tell; they stay as listed, or the other way
round where the list goes back in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from adapter.replay.pseudonyms.harmless import NAMES
from adapter.replay.recording import Answer, Broken, Recorded

from .entries import each, webhooks_of
from .exchange import Exchange, NoWebhook, rfc2822_millis, webhook_of

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]

_TIMEOUT_SECONDS: Final = 15


def client_for(account_sid: str, auth_token: str) -> Client:
    """Twilio's client, with a time limit, which it has not by itself."""
    from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
    from twilio.rest import Client

    return Client(account_sid, auth_token, http_client=TwilioHttpClient(timeout=_TIMEOUT_SECONDS))


def calls_between(client: Client, start: datetime, end: datetime) -> list[str]:
    """The CallSids of inbound calls that began in this time, the oldest first. Raises NoWebhook."""
    try:
        calls = client.calls.list(start_time_after=start, start_time_before=end)
    except Exception as error:  # noqa: BLE001 - its network errors are many, and all mean the same here
        raise NoWebhook(_told(error)) from None
    return [call.sid for call in reversed(calls) if call.direction == "inbound"]


def read_calls(client: Client, sids: Iterable[str]) -> Iterator[Recorded | Broken]:
    """The webhooks of these calls, call by call. A call that cannot be had is told, the others go on."""
    for sid in sids:
        try:
            listed = client.calls(sid).events.list()
        except Exception as error:  # noqa: BLE001 - see calls_between
            yield Broken("twilio", f"call {sid}", _told(error))
            continue
        events = [{"request": event.request, "response": event.response} for event in listed]
        yield from _in_order(each(events, f"twilio {sid}", _webhook))


def read_events(text: str, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of a saved answer of the Events resource, or of a list of events."""
    return _in_order(webhooks_of(text, source, _events, _webhook))


def _events(whole: Any) -> list[Any] | None:
    events = whole.get("events") if isinstance(whole, dict) else whole
    return events if isinstance(events, list) else None


def _in_order(webhooks: Iterable[Recorded | Broken]) -> Iterator[Recorded | Broken]:
    found = list(webhooks)
    times = [one.at for one in found if isinstance(one, Recorded) and one.at is not None]
    if times and times[0] > times[-1]:
        found.reverse()
    # Stable: within one second they stay as listed. What is broken or has no time goes with what stands before it.
    last = 0
    keyed = []
    for one in found:
        last = one.at if isinstance(one, Recorded) and one.at is not None else last
        keyed.append((last, one))
    yield from (one for _, one in sorted(keyed, key=lambda pair: pair[0]))


def _webhook(event: Any) -> Recorded:
    request, response = event["request"], event.get("response") or {}
    parameters = request.get("parameters") or {}
    status = response.get("response_code")
    return webhook_of(
        Exchange(
            method=request.get("method") or "POST",
            url=request["url"],
            fields=tuple((field_name(str(name)), _text(value)) for name, value in parameters.items()),
            at=rfc2822_millis(response.get("date_created")),
            answer=Answer(int(status), response.get("content_type") or "", response.get("response_body") or "")
            if status
            else None,
        )
    )


def field_name(snake: str) -> str:
    """CallSid of call_sid. A name that is not Twilio's own is turned by the same rule."""
    if snake != snake.lower() or snake == "msg":
        return snake
    return _KNOWN.get(snake.replace("_", ""), "".join(part.capitalize() for part in snake.split("_")))


_KNOWN: Final = {name.lower(): name for name in NAMES}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _told(error: Exception) -> str:
    """What Twilio's client says, without the address, which has the account in it."""
    answer = error.args[-1] if error.args else None  # its pages raise with the whole answer
    status = getattr(error, "status", None) or getattr(answer, "status_code", None)
    return f"Twilio answers {status}" if status else f"Twilio cannot be reached ({type(error).__name__})"
