"""What callers hear when the store cannot be asked: steps numbered 0, made of the line alone."""

from __future__ import annotations

from adapter.engine.line import Line
from adapter.engine.model import Turn

from .steps import Step


def neutral(line: Line) -> Step:
    """Nobody is greeted as anybody, and put through to the default destination."""
    raise NotImplementedError


def nobody_left(line: Line) -> Step:
    """Nobody took the call, and we do not know who else could: the caller is told so."""
    raise NotImplementedError


def unknown_turn(line: Line, turn: Turn) -> Step:
    """The answer to a turn of a call that we know nothing of. Nobody is rung after an outcome."""
    raise NotImplementedError
