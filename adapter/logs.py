"""JSON lines on stderr in which no telephone number, key, token or signature can be read.

`configure` once per process; modules log with `logging.getLogger(__name__)`, facts of their own by `extra={...}`.
Everything that is logged goes through `masked`, whatever it is nested in; what a library logs, too.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

MASK = "***"

# Tells six things about itself before it makes a database, and nothing that is of use.
_TALKATIVE = ("alembic.runtime.plugins",)
# What every record carries; all else was given by whoever logs.
_USUAL = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
_DEEPEST = 12
_SEVEN_DIGITS = 1_000_000

_PRIVATE_NAMES = (
    r"(?:proxy-)?authorization|x-twilio-signature|cookie|auth[_-]?tokens?|password|pepper|secret|api[_-]?key"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_VALUE = (
    r"[\[({][^\])}\n]*"  # a list is private to its end
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|digest\s[^\n]*"
    r"|(?:(?:bearer|basic)\s+)?[^\s\"',;)\]}]+"
)
_SECRET_NAME = re.compile(_PRIVATE_NAMES, re.IGNORECASE)
# Known to be harmless, and looked for first: the id that finds a log line must not be masked as a number.
_HARMLESS = (
    r"(?P<harmless>\breq_[0-9a-f]{24}\b|\b(?:CA|AC)[0-9a-fA-F]{32}\b"
    r"|(?<![\d.+-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])(?![\d-])"
    rf"|(?<![\d.+-])(?:{_OCTET}\.){{3}}{_OCTET}(?::\d{{1,5}})?(?![\d.-]))"
)
_SECRET = re.compile(
    _HARMLESS
    + rf"|(?P<name>(?:{_PRIVATE_NAMES})\w*)(?P<between>[\"']?\s*[:=,]\s*(?:b(?=[\"']))?)(?:{_VALUE})"
    + r"|\b(?P<scheme>bearer|basic)\s+[^\s\"',;)\]}]+"
    + r"|(?P<key>sk_)[A-Za-z0-9_-]+"
    + r"|[0-9a-fA-F]{32,}",  # auth tokens have 32; longer ones are hashes of something
    re.IGNORECASE,
)
# E.164, bare digits, and the ways people write numbers: at least seven digits with up to two separators between.
# After the secrets: the digits that are kept of a number must not be the first ones of a key.
_NUMBER = re.compile(_HARMLESS + r"|\+?\d(?:[ ().\-/\u00a0]{0,2}\d){6,}")


def configure(level: str, about: Callable[[], Mapping[str, object]] = dict) -> None:
    """Send everything at or above `level` (debug, info, warning, error) to stderr as JSON lines.

    `about`: what is asked for each line, and told with it: which request it is about.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Stderr)]:
        root.removeHandler(handler)
    root.addHandler(_Stderr(about))
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def masked(value: Any) -> Any:
    """`value` as JSON can hold it, without anything that must not be read. Never raises."""
    return _masked(value, ())


def _masked(value: Any, above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value).decode("utf-8", "replace"))
    if id(value) in above or len(above) >= _DEEPEST:
        return "…"
    return _collection(value, (*above, id(value)))


def _number(value: float) -> Any:
    """Small numbers stay numbers; what could be somebody's, and what JSON has no number for, becomes text."""
    if -_SEVEN_DIGITS < value < _SEVEN_DIGITS:
        return value
    return _text(_printed(value))


def _collection(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _entry(key, item, above) for key, item in value.items()}
    if isinstance(value, list | tuple | Set):
        items = list(value)
        if len(items) == 2 and _is_secret(items[0]):  # a header as a pair
            return [_key(items[0]), MASK]
        return [_masked(item, above) for item in items]
    return _text(_printed(value))


def _key(key: Any) -> str:
    return str(_masked(key, ()))


def _entry(key: Any, value: Any, above: tuple[int, ...]) -> Any:
    return MASK if _is_secret(key) else _masked(value, above)


def _is_secret(name: Any) -> bool:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return isinstance(text, str) and _SECRET_NAME.search(text) is not None


def _printed(value: Any) -> str:
    try:
        return repr(value) if not isinstance(value, BaseException) else f"{type(value).__name__}: {value}"
    except Exception:  # noqa: BLE001 - any object may be logged, and its repr may do anything
        return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    return _NUMBER.sub(_without_number, _SECRET.sub(_without_secret, text))


def _without_secret(found: re.Match[str]) -> str:
    if found["harmless"]:
        return found[0]
    if found["name"]:
        return f"{found['name']}{found['between']}{MASK}"
    return f"{found['scheme']} {MASK}" if found["scheme"] else f"{found['key'] or ''}{MASK}"


def _without_number(found: re.Match[str]) -> str:
    if found["harmless"]:
        return found[0]
    return MASK + "".join(character for character in found[0] if character.isdigit())[-2:]


class _Line(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, about: Callable[[], Mapping[str, object]]) -> None:
        super().__init__()
        self._about = about

    def format(self, record: logging.LogRecord) -> str:
        """What is ours (time, level, logger) is added after masking, so that it stays readable."""
        told = {"event": record.getMessage(), **self._about()}
        told |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            told["stack"] = record.stack_info
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        ours = {"timestamp": at, "level": record.levelname.lower(), "logger": record.name}
        return json.dumps({**masked(told), **ours})


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the moment, and tells nothing of a line that it could not write."""

    def __init__(self, about: Callable[[], Mapping[str, object]]) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(_Line(about))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """The standard one prints the arguments, unmasked. A log that cannot be written (it lies on a full disk, its
        reader has gone) is no reason to leave a caller without an answer."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f'{{"event": "a line of {record.name} could not be logged", "level": "error"}}\n')
