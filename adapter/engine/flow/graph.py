"""Every state that a line's conversation can reach, found by walking the real functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.engine.line import Line
from adapter.engine.model import Talk

from .known import Known
from .steps import Step


@dataclass(frozen=True, slots=True)
class Reached:
    """`path`: how to come here from the call's first webhook, as short labels ("confirm: wrong answer")."""

    path: tuple[str, ...]
    talk: Talk
    step: Step
    known: Known


def explore(line: Line) -> Iterator[Reached]:
    """Breadth first, each state once, shortest path first."""
    raise NotImplementedError
