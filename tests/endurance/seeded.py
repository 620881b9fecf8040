"""A server with a bug made on purpose, to be found: gunicorn's door for `tests.endurance`."""

from __future__ import annotations

from flask import Flask

from adapter.web.shedding import Shedding
from tests import serving


def serves_in_turn() -> Flask:
    """Overloaded, it serves everybody in the order of coming."""
    Shedding.__call__ = lambda self, environ, start: self._app(environ, start)  # type: ignore[method-assign]
    return serving.build()
