"""What all importers share: an HTTP request with its answer becomes a recorded webhook, or a reason why not."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from adapter.engine.model import Millis
from adapter.replay.recording import Answer, Pairs, Recorded

LATEST: Final = 253_402_300_799_999  # the end of the year 9999, the last that can be written in a recording
_MEANT_PLUS: Final = re.compile(" [1-9][0-9]{6,14}")
_CALLS_TWILIO: Final = ("api.twilio.com", "lookups.twilio.com")
_OF_ANSWERS: Final = [int, str, str]


class NoWebhook(ValueError):
    """Why an entry is no webhook of Twilio's. Quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as a tool kept it. `body`: the form of a POST; `fields`: the same when the tool took it apart."""

    method: str
    url: str
    body: str = ""
    fields: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    at: Millis | None = None
    answer: Answer | None = None
    name: str = ""


def webhook_of(exchange: Exchange) -> Recorded:
    """The webhook. Raises NoWebhook for requests that are not Twilio's to an application."""
    try:
        url = urlsplit(exchange.url)
        host = url.hostname or ""
    except ValueError:
        raise NoWebhook("its address cannot be read") from None
    if host in _CALLS_TWILIO:
        raise NoWebhook("a request to Twilio, not from Twilio")
    method = exchange.method.upper()
    if method not in ("GET", "POST"):
        raise NoWebhook("neither GET nor POST")
    query = tuple(parse_qsl(url.query, keep_blank_values=True))
    # As the tool kept it rather than as it took it apart: some leave the escapes in.
    fields = form(exchange.body) or exchange.fields
    if method == "GET":
        # Twilio appends them to what the address has; some tools keep them apart.
        fields = query if any(name == "CallSid" for name, _ in query) else query + fields
    if not any(name == "CallSid" for name, _ in fields):
        raise NoWebhook("no CallSid among its fields")
    answer = exchange.answer
    if answer is not None and [type(each) for each in (answer.status, answer.content_type, answer.body)] != _OF_ANSWERS:
        raise TypeError  # what is no text could be neither disguised nor read back
    path = url.path or "/"
    return Recorded(
        method=method,
        path=f"{path}?{url.query}" if url.query and method == "POST" else path,
        fields=fields,
        at=exchange.at,
        headers={name.lower(): value for name, value in exchange.headers.items()},
        answer=exchange.answer,
        name=exchange.name,
    )


def form(body: str) -> Pairs:
    """The fields of a form-encoded body. Who writes From=+1415… by hand means the plus, not the space it stands for."""
    fields = parse_qsl(body.strip(), keep_blank_values=True)
    return tuple((name, f"+{value[1:]}" if _MEANT_PLUS.fullmatch(value) else value) for name, value in fields)


def iso_millis(text: object) -> Millis | None:
    """An ISO 8601 time, also with nanoseconds, as epoch milliseconds; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return _millis(moment)
    except (ValueError, OverflowError):
        return None


def rfc2822_millis(text: object) -> Millis | None:
    """An RFC 2822 time as epoch milliseconds; None for anything else."""
    try:
        return _millis(parsedate_to_datetime(str(text)))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def pairs_of(items: object) -> dict[str, str]:
    """Headers as tools write them: [{"name", "value"}], {name: value} or {name: [values]}. The first value counts."""
    found: dict[str, str] = {}
    named: Iterable[Any] = items.items() if isinstance(items, dict) else _named(items)
    for name, value in named:
        text = value[0] if isinstance(value, list) and value else value
        if isinstance(name, str) and isinstance(text, str):
            found.setdefault(name.lower(), text)
    return found


def decoded(text: object, encoding: str = "base64") -> bytes:
    """Bytes out of base64. Raises NoWebhook."""
    try:
        return base64.b64decode(str(text), validate=True) if encoding == "base64" else str(text).encode()
    except (binascii.Error, ValueError):
        raise NoWebhook("its body is not base64") from None


def _named(items: object) -> Iterable[Any]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield item.get("name"), item.get("value")


def _millis(moment: datetime) -> Millis | None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    millis = round(aware.timestamp() * 1_000)
    return millis if 0 <= millis <= LATEST else None
