"""A webhook of a call that is going on: what the caller did, and the next step."""

from __future__ import annotations

from adapter.engine.flow.steps import Step
from adapter.engine.line import Line
from adapter.engine.model import Principal, Turn

from .service import Service


def take_turn(service: Service, principal: Principal, line: Line, turn: Turn) -> Step:
    """The next step; a repeated turn gets its first one. Costs neither rate nor quota."""
    raise NotImplementedError
