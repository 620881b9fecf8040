"""Requests in the words of older Sticky Calls clients, translated before they are looked at (`api.older_dialect`).

Those clients write what the caller presents at the top of the body, and `intent_is_open` for an intent's status. What a
request says in today's words wins. Leaves out: everything else; answers are today's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from .body import Body

_STATUS: Final = {True: "open", False: "resolved"}


def read_older(body: Body) -> Body:
    """The body in today's words; one that is no object, or in today's words already, as it is."""
    if not isinstance(body.value, dict):
        return body
    return replace(body, value=_with_status(_with_hints(body.value)))


def _with_hints(value: dict[str, Any]) -> dict[str, Any]:
    presented = {name: value[name] for name in ("ani", "dnis", "external_ids") if name in value}
    hints = value.get("identity_hints", {})
    if not presented or not isinstance(hints, dict):
        return value
    rest = {name: each for name, each in value.items() if name not in presented}
    return {**rest, "identity_hints": {**presented, **hints}}


def _with_status(value: dict[str, Any]) -> dict[str, Any]:
    if "intent_is_open" not in value or "intent_status" in value:
        return value
    rest = {name: each for name, each in value.items() if name != "intent_is_open"}
    said = value["intent_is_open"]
    # What is neither is passed on, and refused under today's name.
    return {**rest, "intent_status": _STATUS[said] if isinstance(said, bool) else said}


def as_it_is(body: Body) -> Body:
    """For services that understand today's words alone."""
    return body


Dialect = Callable[[Body], Body]
