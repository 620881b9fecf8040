"""A voice webhook comes in: the first step of the call, whatever stands in the way (semantics §9)."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.engine.flow.steps import Step
from adapter.engine.line import Line
from adapter.engine.model import Principal, Rate, StartCall

from .service import Service


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a voice webhook comes to. `reason`: why the caller is greeted as nobody (rate | quota | late), else "".

    `rate`: the organization's window, when this webhook was counted.
    """

    step: Step
    reason: str = ""
    rate: Rate | None = None


def greet(service: Service, principal: Principal, line: Line, command: StartCall) -> Greeting:
    """The same start as the API's, but never at the caller's cost; a repeated webhook gets its first step."""
    raise NotImplementedError
