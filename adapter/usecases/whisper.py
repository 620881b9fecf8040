"""What the person who takes a call is told before the caller is connected."""

from __future__ import annotations

from adapter.engine.flow.steps import Whispered
from adapter.engine.line import Line
from adapter.engine.model import Principal

from .service import Service


def whispered(service: Service, principal: Principal, line: Line, call_id: str, number: int) -> Whispered | None:
    """Reads only. None when there is nothing to tell, or anything fails: the caller is connected all the same."""
    raise NotImplementedError
