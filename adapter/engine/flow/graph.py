"""Every state that a line's conversation can reach, found by walking the real functions: as a proof that it ends, and
to show what callers would hear. No part of a call: whoever walks imports this module, and the package's door does not.

Finite, because every question has an end of its tries and no place is come back to. Leaves out: who exactly calls and
says what (`sampling`: one representative of each kind), and the use cases' part but for what it lets a caller become.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Final

from adapter.engine.line import Line
from adapter.engine.model import Call, Place, Recommendation, Talk

from .going_on import begin, go_on
from .hearing import estranged, hear
from .known import Effect, Forgotten, Identified, Known, Refuted, Verified, Withdrawn, WrongAnswer
from .resuming import resumable
from .sampling import CALL, Caller, callers, proofs_of, somebody_new, turns_at
from .steps import Step

_DECIDING: Final = attrgetter(*(each.name for each in fields(Talk) if each.name not in ("turn", "since")))
# Some instant; it is passed on, so only differences matter.
_START: Final = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Reached:
    """`path`: how to come here from the call's first webhook, as short labels ("confirm: wrong answer"); `step` is what
    the caller then hears. `caller`: who that is by now."""

    path: tuple[str, ...]
    talk: Talk
    step: Step
    known: Known
    caller: Caller

    @property
    def state(self) -> Hashable:
        """What decides over everything further on: how often and when the caller spoke does not. Once the call is over
        there is only what was said last and what is left open."""
        talk = self.talk
        if talk.place is Place.OVER:
            last_words = tuple((each.text, each.language) for each in self.step.says)
            return talk.place, last_words, talk.opened, talk.attempt_of
        return _DECIDING(talk), self.caller


def walk(line: Line, *, second_calls: bool = True) -> Iterator[tuple[Reached, tuple[Reached, ...]]]:
    """Breadth first, each state once, by a shortest path to it, with everything one turn further. `second_calls`: those
    that take a dropped one up again are gone on from, too; they go on as others do."""
    seen: set[Hashable] = set()
    waiting = deque(starts(line))
    while waiting:
        reached = waiting.popleft()
        state = reached.state
        if state in seen or (reached.talk.attempt_of and not second_calls):
            continue
        seen.add(state)
        further = tuple(onward(line, reached))
        yield reached, further
        waiting.extend(further)


def starts(line: Line) -> Iterator[Reached]:
    """The first steps of calls."""
    for caller in callers(line):
        known = caller.known(line)
        yield Reached((caller.label,), *begin(line, known, _START), known, caller)


def onward(line: Line, reached: Reached) -> Iterator[Reached]:
    """All states one turn further: whatever the caller does, or after a dropped call that is taken up again."""
    talk, caller = reached.talk, reached.caller
    for label, turn, passed in turns_at(line, talk):
        now = talk.since + passed
        heard = hear(line, talk, turn, proofs_of(line, caller), now)
        for became, after, locked in _becoming(line, caller, heard.effects):
            known = after.known(line)
            stands = replace(estranged(heard.talk), locked=True) if locked else heard.talk
            path = (*reached.path, f"{talk.place.value}: {label}{became}")
            yield Reached(path, *go_on(line, stands, known, now), known, after)
    yield from _rung_back(line, reached)


def _becoming(line: Line, caller: Caller, effects: Collection[Effect]) -> Iterator[tuple[str, Caller, bool]]:
    """Who the caller may be once the effects are written: (what became known, they, whether their number is locked).

    Where a proof is asked for, naming an account makes nobody known; and the wrong answer that locks is the last one.
    """
    kinds = {type(effect) for effect in effects}
    withdrawn = {effect.intent for effect in effects if isinstance(effect, Withdrawn)}
    if Verified in kinds:
        yield "", replace(caller, recommendation=Recommendation.REUSE, verified=True), False
    elif Refuted in kinds or Forgotten in kinds:
        yield "", somebody_new(caller), False
    elif Identified in kinds and line.confirm is None:
        for recommendation in (Recommendation.IGNORE, Recommendation.CONFIRM):
            yield f", {recommendation.value}", replace(caller, recommendation=recommendation), False
    elif withdrawn:
        still_open = tuple(each for each in caller.memory.open_intents if each.intent not in withdrawn)
        yield "", replace(caller, memory=replace(caller.memory, open_intents=still_open)), False
    else:
        yield "", caller, False
    if WrongAnswer in kinds:
        yield ", locked", replace(somebody_new(caller), locked=True), True


def _rung_back(line: Line, reached: Reached) -> Iterator[Reached]:
    """The caller was cut off here and rings back, once; the new call proves nothing yet."""
    talk, now = reached.talk, reached.talk.since
    call = Call(CALL, now, hung_up_at=now, talk=talk)
    # Without a number nobody can be told to be the one who was cut off.
    never = talk.attempt_of or talk.place is Place.OVER or not reached.caller.has_number
    resumed = None if never else resumable(line, call, now)
    if resumed is None:
        return
    for recommendation in Recommendation:
        caller = replace(reached.caller, recommendation=recommendation, verified=False)
        known = caller.known(line)
        path = (*reached.path, f"{talk.place.value}: cut off, rings back, {recommendation.value}")
        yield Reached(path, *begin(line, known, now, resumed), known, caller)
