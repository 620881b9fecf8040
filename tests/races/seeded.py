"""A server with the bug that races are there to find: every worker remembers for a while what it once has read.

Only for the positive control: races that report nothing against this server would be blind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask

from adapter.store import answers, calls, customers, meters
from adapter.usecases import directory
from tests import serving

_REMEMBERED_SECONDS = 0.5
_KEY_REMEMBERED_MS = 60_000


def build() -> Flask:
    """The tests' app with stale reads."""
    for module, name in (
        (answers, "find"),
        (calls, "find"),
        (customers, "facts"),
        (meters, "used"),
        (meters, "window"),
    ):
        setattr(module, name, _stale(getattr(module, name), _window_key if name == "window" else _key))
    directory._CACHE_MS = _KEY_REMEMBERED_MS
    return serving.build()


def _stale(read: Callable[..., Any], key: Callable[..., str]) -> Callable[..., Any]:
    known: dict[str, tuple[float, Any]] = {}

    def remembered(tx: Any, *asked: Any, **named: Any) -> Any:
        name = f"{tx.realm}{key(*asked)}{named}"
        at, found = known.get(name, (0.0, None))
        if time.monotonic() - at < _REMEMBERED_SECONDS:
            return found
        found = read(tx, *asked, **named)
        known[name] = (time.monotonic(), found)
        return found

    return remembered


def _key(*asked: Any) -> str:
    """Everything asked for but the time."""
    return repr([each for each in asked if not (isinstance(each, int) and each > 1_700_000_000_000)])


def _window_key(organization: int, *_: Any) -> str:
    return str(organization)
