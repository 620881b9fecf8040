"""Putting through: to which destination, with what context, and what who answers is told."""

from __future__ import annotations

from adapter.engine.line import Line
from adapter.engine.model import Talk

from .known import Known
from .steps import Whispered


def whisper(line: Line, talk: Talk, known: Known) -> Whispered | None:
    """What who answers hears before the caller is connected; None: nothing, connect at once."""
    raise NotImplementedError
