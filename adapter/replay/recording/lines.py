"""A recorded webhook as a line of JSON, and back. The format is described in `adapter.replay.recording`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapter.engine.model import Millis

from .values import Answer, Pairs, Recorded

VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def line_of(recorded: Recorded) -> bytes:
    """One line with its end. Lone surrogates are written as escapes, so that every value has a line."""
    answer = recorded.answer
    entry: dict[str, object] = {
        "recording": VERSION,
        "at": None if recorded.at is None else _instant(recorded.at),
        "method": recorded.method,
        "path": recorded.path,
        "fields": [list(pair) for pair in recorded.fields],
        "headers": dict(recorded.headers),
        "answer": answer and {"status": answer.status, "type": answer.content_type, "body": answer.body},
        "receipt": recorded.receipt and _plain(recorded.receipt),
    }
    if recorded.name:
        entry["name"] = recorded.name
    if recorded.key is not None:
        entry["key"] = dict(zip(("organization", "mode"), recorded.key, strict=True))
        entry["sent"] = recorded.sent
    text = json.dumps(entry, ensure_ascii=False, separators=(", ", ": "))
    # U+2028 and the like end a line for some readers.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(entry)}\n".encode()


def recorded_of(line: str) -> Recorded:
    """The webhook of a line. Raises ValueError with the reason, which quotes nothing of the line."""
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {str(error).partition(':')[0].lower()}") from None
    except RecursionError:
        raise ValueError("not JSON of this format: nested too deeply") from None
    if not isinstance(entry, dict) or "recording" not in entry:
        raise ValueError('not a line of a recording: it has no "recording"')
    version = entry["recording"]
    if version != VERSION:
        known = isinstance(version, int)
        raise ValueError(f"version {version if known else 'unknown'} of the format; this program reads {VERSION}")
    return Recorded(
        method=_text(entry, "method"),
        path=_text(entry, "path"),
        fields=_pairs(entry.get("fields")),
        at=_millis(entry.get("at")),
        headers=_headers(entry.get("headers") or {}),
        answer=_answer(entry.get("answer")),
        receipt=_receipt(entry.get("receipt")),
        name=entry["name"] if isinstance(entry.get("name"), str) else "",
        sent=entry.get("sent"),
        key=_key(entry.get("key")),
    )


def _instant(at: Millis) -> str:
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> object:
    """Only what JSON has: a receipt with anything else in it must not cost its line."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{key}" is not a text')
    return value


def _pairs(value: object) -> Pairs:
    if not isinstance(value, list):
        raise ValueError('"fields" is not a list')
    if not all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, str) for x in pair) for pair in value):
        raise ValueError('"fields" has something that is not a name with a value')
    return tuple((name, text) for name, text in value)


def _millis(value: object) -> Millis | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
        at = round(((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds() * 1_000)
        _instant(at)  # in a zone of its own, the last day may be one that no UTC has
    except (ValueError, OverflowError):
        raise ValueError('"at" is not a time') from None
    return at


def _headers(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError('"headers" is not a table of texts')
    return value


def _answer(value: object) -> Answer | None:
    if value is None:
        return None
    if not isinstance(value, dict) or type(value.get("status")) is not int:
        raise ValueError('"answer" has no status')
    kind, body = value.get("type", ""), value.get("body", "")
    if not isinstance(kind, str) or not isinstance(body, str):
        raise ValueError('"answer" has a type or body that is not a text')
    return Answer(value["status"], kind, body)


def _key(value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError('"key" is not a table')
    return _text(value, "organization"), _text(value, "mode")


def _receipt(value: object) -> Mapping[str, object] | None:
    if value is None or isinstance(value, dict):
        return value
    raise ValueError('"receipt" is not a table')
