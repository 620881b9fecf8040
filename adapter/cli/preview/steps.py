"""What callers can hear on a line, step by step, and how they come there: the material of `sticky-calls preview`.

Walks the conversation as it is (`adapter.engine.flow.graph`) with callers that are made up. The same words with the
same consequence are told once, with the shortest way to them. Leaves out: how it is shown (`command`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from adapter.engine.flow import Known, Step, Whispered, begin, known, neutral, whisper
from adapter.engine.flow.graph import Reached, starts, walk
from adapter.engine.line import Line
from adapter.engine.model import (
    Identity,
    Intent,
    IntentStatus,
    Level,
    Memory,
    Place,
    Recommendation,
    Talk,
    Variable,
)

Labels = tuple[str, ...]

OUT_OF_REACH: Final = "anybody, when memory is out of reach"


@dataclass(frozen=True, slots=True)
class Way:
    """How a caller comes to a step: what happened in the call so far, in the walk's words. The first is who calls."""

    path: Labels
    recommendation: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that callers can hear. `ways`: how they come to it, the shortest first. `agent`: what is told to who
    answers."""

    place: Place
    step: Step
    agent: Whispered | None
    ways: tuple[Way, ...]

    @property
    def language(self) -> str:
        """The language that the caller is spoken to in; "" when nothing is said."""
        return self.step.says[-1].language if self.step.says else ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of the known caller, on lines that ask nothing."""

    name: str
    intent: str


def heard(line: Line, remembered: Remembered) -> list[Heard]:
    """All that callers can hear on the line, in the order in which a call comes to it."""
    found: dict[object, Heard] = {}
    for place, step, agent, way in _all(line, remembered):
        key = (place, _words(step), agent and tuple(map(repr, agent.says)))
        before = found.get(key)
        ways = (*before.ways, way) if before else (way,)
        found[key] = replace(before, ways=ways) if before else Heard(place, step, agent, ways)
    order = list(Place)
    return sorted(found.values(), key=lambda each: order.index(each.place))


def _words(step: Step) -> object:
    """What makes a step different for those who hear it: not its number, and not who they are."""
    said = tuple((say.text, say.language, tuple(say.facts.items())) for say in step.says)
    return said, type(step.then), repr(getattr(step.then, "destination", None))


Told = tuple[Place, Step, Whispered | None, Way]


def _all(line: Line, remembered: Remembered) -> Iterator[Told]:
    if not line.converses:
        for caller, who in _callers(line, remembered):
            yield _told(line, *begin(line, who, 0), who, (caller,))
    yield from _walked(line)
    yield Place.HANDED_OVER, neutral(line), None, Way((OUT_OF_REACH,), "neutral")


def _told(line: Line, talk: Talk, step: Step, who: Known, path: Labels) -> Told:
    return talk.place, step, whisper(line, talk, who), Way(path, who.recommendation.value)


def _walked(line: Line) -> Iterator[Told]:
    """Each way to a state once. A call that is taken up again goes on as others do, which is told already."""
    # A plain line's first step is told with the callers of its own.
    for reached in starts(line) if line.converses else ():
        yield _reached(line, reached)
    for _, further in walk(line, second_calls=False):
        for reached in further:
            yield _reached(line, reached)


def _reached(line: Line, reached: Reached) -> Told:
    return _told(line, reached.talk, reached.step, reached.known, reached.path)


def _callers(line: Line, remembered: Remembered) -> Iterator[tuple[str, Known]]:
    """The callers of a line that asks nothing; the known one once with and once without anything remembered."""
    memory = Memory(
        (Intent(remembered.intent, IntentStatus.OPEN, 1, 0, 0, 0, ""),),
        (Variable(line.name_variable, remembered.name, None, 1, 0, 0, 1),),
    )
    for caller, recommendation, theirs in (
        ("known", Recommendation.REUSE, memory),
        ("known, nothing remembered", Recommendation.REUSE, Memory()),
        ("probable", Recommendation.CONFIRM, memory),
        ("new", Recommendation.IGNORE, Memory()),
    ):
        yield caller, known(line, "", "", Identity(0, Level.LOW, (), recommendation), False, theirs)
