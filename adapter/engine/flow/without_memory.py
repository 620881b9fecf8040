"""What callers hear when the store cannot be asked: steps numbered 0, made of the line alone.

Leaves out: when that is (the use cases and the voice edge).
"""

from __future__ import annotations

from dataclasses import replace

from adapter.engine.line import DEFAULT, DestinationKind, Line
from adapter.engine.model import Outcome, Place, Talk, Turn

from .speaking import say
from .steps import HandOver, HangUp, Record, Step


def neutral(line: Line) -> Step:
    """Nobody is greeted as anybody, and put through to the default destination."""
    spoken, destination = line.spoken[0], line.destination
    words = say(spoken, "neutral")
    if destination.kind is DestinationKind.VOICEMAIL:
        return Step((words, say(spoken, "voicemail")), Record())
    if destination.kind is DestinationKind.CALLBACK:
        return nobody_left(line)  # the promise could not be kept: nothing can be written
    if destination.kind is DestinationKind.HANGUP:
        return Step((words,), HangUp())
    return Step((words,), HandOver(destination))


def nobody_left(line: Line) -> Step:
    """Nobody took the call, and we do not know who else could: the caller is told so."""
    return Step((say(line.spoken[0], "unreached"),), HangUp())


def nothing_more() -> Step:
    """Nobody is there to hear anything."""
    return Step((), HangUp())


def unknown_turn(line: Line, turn: Turn) -> Step:
    """The answer to a turn of a call that we know nothing of. Nobody is rung after an outcome."""
    if turn.recorded:
        return Step((say(line.spoken[0], "recorded"),), HangUp())
    if turn.outcome is Outcome.ANSWERED:
        return nothing_more()
    return neutral(line) if turn.outcome is None else nobody_left(line)


def after_unknown_turn(talk: Talk, turn: Turn) -> Talk:
    """The talk in which `unknown_turn` was the answer: the caller was put through to the line's destination, or the
    call is over. What becomes of that is told to nobody, as the step has no number."""
    if turn.outcome is not None or turn.recorded:
        return replace(talk, place=Place.OVER, turn=talk.turn + 1)
    there = replace(talk, place=Place.HANDED_OVER, destination=DEFAULT, tried=(*talk.tried, DEFAULT))
    return replace(there, turn=talk.turn + 1)
