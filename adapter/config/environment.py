"""ADAPTER_ variables over the file: ADAPTER_SERVER__BIND, ADAPTER_LINES__0__LANGUAGE, ADAPTER_TIERS__FREE__MONTHLY.

A double underscore goes one level down, a number picks an item of a list (the next free one adds an item). The schema
leads the way, so a variable that names no setting is a mistake and not silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from .suggestions import did_you_mean
from .tables import Items, Table, names_of, twin_of
from .tree import Key, Node, Plain, Problem

PREFIX = "ADAPTER_"
# Read elsewhere: where the file is, and the key of `sticky-calls call`.
NOT_SETTINGS = frozenset({"ADAPTER_CONFIG", "ADAPTER_API_KEY"})

_INDEX = re.compile(r"[0-9]{1,4}")


class _Refused(Exception):
    """A variable that cannot be placed, and why."""


def overlay(root: Node, schema: Schema, environ: Mapping[str, str]) -> list[Problem]:
    """Puts every ADAPTER_ variable into the tree `root` (changed in place); what cannot be placed comes back."""
    problems = []
    for name in sorted(environ, key=_natural):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        try:
            _put(root, schema, name, environ[name])
        except _Refused as refused:
            problems.append(Problem(name, (), str(refused)))
    return problems


def _natural(name: str) -> list[tuple[int, str]]:
    """…__10 after …__9, so that items are added in order."""
    return [(int(part), "") if _INDEX.fullmatch(part) else (0, part) for part in name.split("__")]


def _put(root: Node, schema: Schema, name: str, text: str) -> None:
    *above, last = [part.lower() for part in name.removeprefix(PREFIX).split("__")]
    here = root
    shape: Schema | Items | Table = schema
    for part in above:
        key, below = _step(here, shape, part)
        if not isinstance(below, (fields.Nested, Items, Table)):
            raise _Refused(f"is not a setting: there is nothing below {part.upper()}, it has a single value")
        here = _descend(here, key, below, name)
        shape = below.schema if isinstance(below, fields.Nested) else below
    key, below = _step(here, shape, last)
    _place(here, key, below, Node(name, text))


def _step(here: Node, shape: Schema | Items | Table, part: str) -> tuple[Key, fields.Field[Any]]:
    """The key that `part` means at this place, and the field found there."""
    if isinstance(shape, Schema):
        return _setting(shape, part)
    if isinstance(shape, Table):
        known = here.value if isinstance(here.value, dict) else {}
        return next((key for key in known if _folded(key) == part), part), shape.entries
    return _index(here, part), shape.entries


def _setting(schema: Schema, part: str) -> tuple[Key, fields.Field[Any]]:
    names = {_folded(name): name for name in names_of(schema)}
    if part not in names:
        written = [name.upper() for name in sorted(names)]
        suggestion = did_you_mean(part.upper(), written) or f"; here it can be {', '.join(written)}"
        raise _Refused(f'is not a setting: "{part.upper()}" is not known{suggestion}')
    name = names[part]
    return name, schema.fields.get(name) or fields.Raw()


def _folded(key: str) -> str:
    return key.lower().replace("-", "_")


def _index(here: Node, part: str) -> int:
    length = len(here.value) if isinstance(here.value, list) else 0
    if not _INDEX.fullmatch(part):
        raise _Refused(
            f'is not a setting: "{part.upper()}" stands where the number of a list\'s item belongs (0, 1, …)'
        )
    if int(part) > length:
        raise _Refused(f"leaves a gap: the list has {length} items, so the next one is number {length}")
    return int(part)


def _descend(here: Node, key: Key, below: fields.Field[Any], name: str) -> Node:
    """The node at `key`, made (or made anew, when the file has something else there) so that it can hold children."""
    found = here.child(key)
    wanted = list if isinstance(below, Items) else dict
    if found is None or not isinstance(found.value, wanted):
        found = _planted(below.metadata.get("start_from", wanted()), name)
        _set(here, key, found)
    return found


def _planted(value: Plain, origin: str) -> Node:
    if isinstance(value, dict):
        return Node(origin, {key: _planted(item, origin) for key, item in value.items()})
    if isinstance(value, list):
        return Node(origin, [_planted(item, origin) for item in value])
    return Node(origin, value)


def _place(here: Node, key: Key, below: fields.Field[Any], node: Node) -> None:
    if isinstance(below, (Items, Table)):
        raise _Refused("names a whole list or table, not one value; add __0 (or a key) and what is below it")
    _set(here, key, node)


def _set(here: Node, key: Key, node: Node) -> None:
    if isinstance(here.value, list) and isinstance(key, int):
        here.value[key : key + 1] = [node]
    if isinstance(here.value, dict) and isinstance(key, str):
        _give_way(here.value, twin_of(key))
        here.value[key] = node


def _give_way(siblings: dict[str, Node], twin: str) -> None:
    """A variable wins over the file, also when the file has the other spelling of the secret (`x_file` for `x`)."""
    if twin not in siblings:
        return
    if siblings[twin].origin.startswith(PREFIX):
        raise _Refused(f"says the same as {siblings[twin].origin}; keep one of them")
    del siblings[twin]
