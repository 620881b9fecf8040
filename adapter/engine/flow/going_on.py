"""Where the conversation goes next and what is said there."""

from __future__ import annotations

from adapter.engine.line import Line
from adapter.engine.model import Millis, Talk

from .known import Known
from .steps import Step


def begin(line: Line, known: Known, now: Millis, resumed: Talk | None = None) -> tuple[Talk, Step]:
    """The first step of a call. `resumed`: the conversation that broke off, from `resumable`."""
    raise NotImplementedError


def go_on(line: Line, talk: Talk, known: Known, now: Millis) -> tuple[Talk, Step]:
    """The step after a turn was heard: `talk` is `Heard.talk`, `known` who is calling now."""
    raise NotImplementedError
