"""What JSON is in these bytes, and what is wrong with it as JSON: encoding, numbers, depth, names given twice.

Leaves out: what the JSON means (`schemas`), and reading it off the connection (`guards`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

from adapter.engine.model import Issue

Path = tuple[str | int, ...]

MAX_BYTES = 256 * 1024
# Deeper JSON has no meaning in this API, and recursion over it (ours or a library's) would be the sender's to choose.
MAX_DEPTH = 32
_TOO_DEEP = f"body must not be nested deeper than {MAX_DEPTH}"
# A path is repeated in every issue below it: without these limits a small body could ask for a huge answer.
_MAX_PATH = 4
_MAX_NAME = 128
# Names given twice that are told; thousands more would teach nobody anything.
_MAX_REPEATED = 100


class Repeating(dict[str, Any]):
    """An object in which some names were given more than once; `repeated` holds them."""

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: its JSON value, and what is wrong with it as JSON. `too_large`: it was not even read."""

    value: object = None
    issues: tuple[Issue, ...] = ()
    is_json: bool = True
    too_large: bool = False


TOO_LARGE = Body(
    issues=(Issue((), f"body must not be larger than {MAX_BYTES // 1024} KiB"),), is_json=False, too_large=True
)


def read_json(raw: bytes) -> Body:
    """The JSON value in `raw` (UTF-8; a byte order mark is tolerated), or its issues. Never raises."""
    try:
        value = _DECODER.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _unreadable("body must be JSON in UTF-8")
    except json.JSONDecodeError as error:
        if not raw.strip():
            return _unreadable("body must be JSON: it is empty")
        what = error.msg.removesuffix(" at")
        return _unreadable(f"body must be JSON: {what} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        return _unreadable(_TOO_DEEP)
    except ValueError:
        return _unreadable("body must be JSON: a number in it is not finite or has too many digits")
    deep, repeating = _survey(value)
    if deep:
        return _unreadable(_TOO_DEEP)
    return Body(value, tuple(_named_twice(value)) if repeating else ())


def canonical(value: object) -> bytes:
    """The same bytes for the same JSON, whatever its spacing and order of names: for the fingerprint of a body."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def shown(step: str | int) -> str | int:
    """A step of a path, a client's own name among them, safe and short enough to be put into an answer."""
    return step if isinstance(step, int) else step[:_MAX_NAME].encode("utf-8", "replace").decode("utf-8")


def dotted(path: Path) -> str:
    """A path as the reference writes it in prose: `identity_hints.ani`, `intent_updates[0].status`; "body" for ()."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".") or "body"


def _unreadable(message: str) -> Body:
    return Body(issues=(Issue((), message),), is_json=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name, _ in pairs:
        if name in seen:
            twice[name] = None
        seen.add(name)
    repeating = Repeating(value)
    repeating.repeated = tuple(twice)
    return repeating


def _finite(literal: str) -> float:
    # 1e999 is valid JSON, but becomes infinity, which no JSON we write could give back.
    number = float(literal)
    if math.isinf(number):
        raise ValueError("not finite")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant)


def _survey(value: object) -> tuple[bool, bool]:
    """(nested too deep, a name given twice somewhere). Level by level: recursion would be the sender's to exhaust."""
    level: list[Any] = [value]
    repeating = False
    for _ in range(MAX_DEPTH):
        repeating = repeating or any(isinstance(parent, Repeating) for parent in level)
        level = [child for parent in level for _, child in _containers(parent)]
        if not level:
            return False, repeating
    return True, repeating


def _containers(value: object) -> Iterable[tuple[str | int, Any]]:
    """The objects and arrays directly in an object or array, each with its name or index."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(step, child) for step, child in members if isinstance(child, (dict, list))]


def _named_twice(value: object) -> list[Issue]:
    found: dict[Path, None] = {}
    waiting: list[tuple[Path, object]] = [((), value)]
    while waiting:
        path, here = waiting.pop(0)
        if isinstance(here, Repeating):
            found.update(((*path, shown(name))[:_MAX_PATH], None) for name in here.repeated)
        waiting.extend(((*path, shown(step))[:_MAX_PATH], child) for step, child in _containers(here))
    return [Issue(path, f"{dotted(path)} is named twice") for path in islice(found, _MAX_REPEATED)]
