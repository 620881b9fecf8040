"""Two answers of the REST API compared, value by value: the order of names is no difference.

Times that lie a moment apart are the same: how long an answer takes is no decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from .trees import Difference, filled

_MOMENT_SECONDS: Final = 10
_SECONDS: Final = "duration_seconds"
_TOLD: Final = {
    "identity.recommendation": ("recommendation", "is recommended for {new} instead of {old}"),
    "identity.confidence": ("confidence", "is recognized with confidence {new} instead of {old}"),
}


def table(text: str) -> Mapping[str, Any] | None:
    """The object that this JSON is; None when it is none."""
    try:
        found = json.loads(text) if text.lstrip()[:1] == "{" else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def differences_of_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """What the API answers differently, in the order of its names."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    for name in dict.fromkeys((*old, *new)):
        one, other = old.get(name), new.get(name)
        if one == other or _is_a_moment_apart(name, one, other):
            continue
        generic = ("data", f"has in the API's answer {name} {{new}} instead of {{old}}")
        kind, sentence = _TOLD.get(name, generic)
        yield Difference(kind, filled(sentence, _shown(one), _shown(other)), _shown(one), _shown(other))


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for each, item in value.items():
            yield from _leaves(item, f"{name}.{each}" if name else str(each))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{name}[{place}]")
    else:
        yield name, value


def _is_a_moment_apart(name: str, one: object, other: object) -> bool:
    if name == _SECONDS and isinstance(one, int) and isinstance(other, int):
        return abs(one - other) <= _MOMENT_SECONDS
    try:
        earlier, later = datetime.fromisoformat(str(one)), datetime.fromisoformat(str(other))
        return abs((earlier - later).total_seconds()) <= _MOMENT_SECONDS
    except (ValueError, TypeError):
        return False


def _shown(value: object) -> str:
    return "none" if value is None or value == "" else str(value)
