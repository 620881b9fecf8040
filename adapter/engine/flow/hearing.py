"""What the caller did, judged: a turn at a place gives an event, the table says what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.engine.line import Line
from adapter.engine.model import Millis, Talk, Turn

from .known import Heard, Proof


def hear(line: Line, talk: Talk, turn: Turn, proofs: Sequence[Proof], now: Millis) -> Heard:
    """Judge the answer to the last step. Total: any turn gives something."""
    raise NotImplementedError
