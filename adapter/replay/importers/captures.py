"""Webhooks as JSON of any make: what an application logged, a request catcher exported, developers pass on.

One object a line, or one document: an object, or a list of them. Each holds a form with a CallSid: as its own keys or
under any of them, taken apart or as text. What stands around the form tells method, address, time, headers and answer,
where it has one of their usual names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from adapter.engine.model import Millis
from adapter.replay.recording import Answer, Broken, Pairs, Recorded, kind_of
from adapter.replay.recording.reader import numbered_lines

from .entries import webhooks_of
from .exchange import LATEST, Exchange, NoWebhook, decoded, form, iso_millis, pairs_of, rfc2822_millis, webhook_of

Table = Mapping[str, Any]

_DEEPEST: Final = 6
# Twilio's debugger (Monitor's alerts) has an address of its own beside the webhook's.
_METHODS: Final = ("request_method", "requestmethod", "method", "httpmethod", "http_method", "verb")
_ADDRESSES: Final = ("request_url", "requesturl", "url", "uri", "path", "rawpath", "originalurl", "request_uri")
_TIMES: Final = (
    "at",
    "time",
    "timestamp",
    "ts",
    "date",
    "created_at",
    "createdat",
    "received_at",
    "receivedat",
    "start",
    "date_generated",
    "dategenerated",
)
_ANSWERS: Final = ("response", "answer", "reply")
_STATUSES: Final = ("status", "status_code", "statuscode", "code")
_BODIES: Final = ("body", "content", "text", "twiml")
_IS_BASE64: Final = ("isbase64encoded",)
_MILLIS_FROM: Final = 10**11  # epoch seconds until the year 5138, milliseconds since 1973

# What else our kinds are called. Whose turn it was is not told, so ours is the one that works without memory.
_PATHS: Final = {
    **dict.fromkeys(("voice", "incoming", "inbound"), "/twilio/voice"),
    **dict.fromkeys(("status", "status_callback"), "/twilio/status"),
    **dict.fromkeys(("turn", "gather", "dial", "record", "enqueue", "queue", "connect"), "/twilio/turn/0"),
    "fallback": "/twilio/fallback",
}


def read_capture_lines(file: BinaryIO, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of a file of objects, one a line."""
    for number, line, is_whole in numbered_lines(file):
        if not line.strip():
            continue
        try:
            yield _webhook(json.loads(line))
        except NoWebhook as error:
            yield Broken(source, f"line {number}", str(error))
        except (ValueError, RecursionError) as error:
            yield Broken(source, f"line {number}", _why(error, is_whole))


def _why(error: Exception, is_whole: bool) -> str:
    # Bytes of no UTF-8 in the middle are another encoding's; at the end of the file they can be half a character.
    if isinstance(error, UnicodeDecodeError) and (is_whole or error.end < len(error.object)):
        return "not UTF-8"
    return "not JSON" if is_whole else "cut off: the file ends within this line"


def read_capture(text: str, source: str) -> Iterator[Recorded | Broken]:
    """The webhooks of one document."""
    return webhooks_of(text, source, _entries, _webhook)


def is_capture(entry: object) -> bool:
    """Whether it holds a webhook, or means to."""
    return isinstance(entry, Mapping) and ("params" in entry or _found(entry, (), _DEEPEST) is not None)


def _entries(whole: Any) -> Iterable[Any]:
    if not isinstance(whole, Mapping) or is_capture(whole):
        return whole if isinstance(whole, list) else (whole,)
    return next((value for value in whole.values() if isinstance(value, list)), (whole,))


def _webhook(entry: Any) -> Recorded:
    found = _found(entry, (), _DEEPEST) or _by_kind(entry)
    if found is None:
        raise NoWebhook("no form with a CallSid")
    fields, around = found
    exchange = Exchange(
        method=_word(around, _METHODS) or "POST",
        url=_word(around, _ADDRESSES),
        fields=fields,
        headers=pairs_of(_told(around, ("headers",))),
        at=_millis(_told(around, _TIMES)),
        answer=_answer(_told(around, _ANSWERS)),
        name=_word(around, ("name",)),
    )
    return _placed(exchange, _PATHS.get(_word(around, ("kind",)).lower()))


def _placed(exchange: Exchange, path: str | None) -> Recorded:
    """Where it went is said by its kind, else by its address, else by its fields."""
    if path is None and exchange.url:
        return webhook_of(exchange)
    kind = kind_of(dict(exchange.fields))
    path = path or _PATHS.get(kind, f"/twilio/{kind}")
    return Recorded("POST", path, exchange.fields, exchange.at, exchange.headers, exchange.answer, name=exchange.name)


Found = tuple[Pairs, tuple[Table, ...]]


def _found(value: Any, around: tuple[Table, ...], deepest: int) -> Found | None:
    """The form, and the tables that it stands in, the outermost first."""
    pairs = _pairs(value)
    if any(name == "CallSid" for name, _ in pairs):
        return pairs, around
    if isinstance(value, str) and "CallSid" in value and value.lstrip().startswith("{") and deepest:
        return _found(_parsed(value), around, deepest - 1)
    if not isinstance(value, Mapping) or not deepest:
        return None
    return next((found for each in _inner(value) if (found := _found(each, (*around, value), deepest - 1))), None)


def _inner(table: Table) -> Iterator[Any]:
    """What it holds; a body in base64 as the text that it is."""
    is_base64 = _told((table,), _IS_BASE64) is True
    for name, value in table.items():
        yield decoded(value).decode("utf-8", "replace") if is_base64 and name.lower() == "body" else value


def _by_kind(entry: Any) -> Found | None:
    """A form without a CallSid, where somebody says what it is."""
    is_told = isinstance(entry, Mapping) and _text(entry.get("kind")).lower() in _PATHS
    return (_pairs(entry["params"]), (entry,)) if is_told and isinstance(entry.get("params"), Mapping) else None


def _pairs(value: Any) -> Pairs:
    """A form as text, as a table, or as a list of names and values."""
    if isinstance(value, str):
        return form(value) if "CallSid=" in value else ()
    if isinstance(value, Mapping):
        return tuple((str(name), text) for name, held in value.items() for text in _texts(held))
    if isinstance(value, list):
        named = ((each.get("name", each.get("key")), each.get("value")) for each in value if isinstance(each, Mapping))
        return tuple((name, _text(held)) for name, held in named if isinstance(name, str))
    return ()


def _texts(held: Any) -> list[str]:
    """A list is a field that came several times."""
    plain = isinstance(held, list) and not any(isinstance(each, list | Mapping) for each in held)
    return [_text(each) for each in held] if plain else [_text(held)]


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, separators=(",", ":"))


def _told(around: tuple[Table, ...], names: tuple[str, ...]) -> Any:
    """What the innermost table says under one of these names."""
    for table in reversed(around):
        known = {name.lower(): value for name, value in table.items()}
        for name in names:
            if known.get(name) is not None:
                return known[name]
    return None


def _word(around: tuple[Table, ...], names: tuple[str, ...]) -> str:
    """The same, "" where it is no text."""
    value = _told(around, names)
    return value if isinstance(value, str) else ""


def _millis(value: Any) -> Millis | None:
    if isinstance(value, str):
        return iso_millis(value) or rfc2822_millis(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        return None
    return round(value if value >= _MILLIS_FROM else value * 1_000)


def _answer(value: Any) -> Answer | None:
    if isinstance(value, str):
        return Answer(200, "text/xml", value)
    if not isinstance(value, Mapping):
        return None
    status, body = _told((value,), _STATUSES), _told((value,), _BODIES)
    kind = pairs_of(value.get("headers")).get("content-type", "")
    return Answer(status, kind, _text(body)) if type(status) is int else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
