"""A webhook of a call that is going on: what the caller did, what follows from it, and the next step (semantics §9).

Turns cost neither rate nor quota: a caller who has been greeted is heard out. Leaves out: judging what the caller said,
and where it leads (`flow`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.engine import flow, idempotency, lifecycle
from adapter.engine.flow import (
    Effect,
    Forgotten,
    Heard,
    Identified,
    Learned,
    Refuted,
    Step,
    Verified,
    Withdrawn,
    WrongAnswer,
)
from adapter.engine.lifecycle import CallState
from adapter.engine.line import Line
from adapter.engine.model import Call, Distrust, Hints, Millis, Place, Principal, Talk, Turn
from adapter.store import answers, calls, memory, records
from adapter.store.transaction import Transaction

from . import kept
from .acquaintance import acquainted, is_verified
from .proofs import count_wrong_answer, forget_wrong_answers, is_locked, proofs
from .recognition import note_named, stand_on, stand_on_named, why_no_number
from .service import Service
from .settlement import settle, taken_along, told, withdrawn, without_account
from .verdict import confirm, refute

_TURN = "turn"
_PROVING = frozenset({Place.WHO, Place.CONFIRM})
# Where the account that the caller named is still asked about.
_ACCOUNT_COUNTS = frozenset({Place.IDENTIFY, Place.CONFIRM})


@dataclass(frozen=True, slots=True)
class Taken:
    """What a turn comes to. `call`: as it is now; None: the turn was taken before, or without memory. `effects`: what
    came of what the caller said."""

    step: Step
    call: Call | None = None
    effects: tuple[Effect, ...] = ()


def take_turn(service: Service, principal: Principal, line: Line, turn: Turn) -> Taken:
    """The next step; a repeated turn gets its first one. A turn of a call, or to a step, that we know nothing of is
    answered without memory."""
    if turn.number == 0:
        return Taken(flow.unknown_turn(line, turn))
    key = f"{turn.call_id}/{turn.number}"

    def work(tx: Transaction) -> Taken:
        now = service.clock.now()
        before = answers.find(tx, _TURN, key, now)
        step = kept.to_step(before.body) if before is not None else None
        if step is not None:
            return Taken(step)
        call = calls.find(tx, turn.call_id)
        # A call of an erased customer has no talk any more: nothing is heard of it, and nothing kept.
        if call is None or call.talk is None or call.talk.turn != turn.number:
            return Taken(flow.unknown_turn(line, turn))
        call, step, effects = _Hearing(service, tx, line, now).take(call, call.talk, turn)
        calls.save(tx, call)
        expires_at = idempotency.expires_at(now, service.policy.retention)
        answers.keep(tx, _TURN, key, "", kept.from_step(step), call.customer_ref or "", expires_at)
        return Taken(step, call, effects)

    def ahead(tx: Transaction) -> None:
        now = service.clock.now()
        answers.find(tx, _TURN, key, now)
        call = calls.find(tx, turn.call_id)
        if call is not None and call.customer_ref is not None:
            memory.memory(tx, call.customer_ref, now)

    return service.hurried(principal.realm, work, ahead)


def hear_late(service: Service, line: Line, turn: Turn, at: Millis, tx: Transaction) -> bool:
    """A turn that could not be saved at the time, `at`: the caller was answered by `flow.unknown_turn`, but what they
    said counts. True: it is done with, as is one that was saved after all. Once more, it changes nothing."""
    call = calls.find(tx, turn.call_id)
    if call is not None and call.talk is not None and call.talk.turn == turn.number:
        calls.save(tx, _Hearing(service, tx, line, at).take_late(call, call.talk, turn))
    return True


@dataclass(frozen=True, slots=True)
class _Hearing:
    """One turn being taken."""

    service: Service
    tx: Transaction
    line: Line
    now: Millis

    def take(self, call: Call, talk: Talk, turn: Turn) -> tuple[Call, Step, tuple[Effect, ...]]:
        """The call after the turn, not yet saved, the step that comes next, and what came of the answer."""
        tx, line, now = self.tx, self.line, self.now
        after, heard = self._hear(call, talk, turn)
        remembered = memory.memory(tx, after.customer_ref or "", now)
        talk_now = after.talk or heard.talk
        moved, step = flow.go_on(line, talk_now, acquainted(tx, line, after, remembered, now), now)
        if moved.place not in _ACCOUNT_COUNTS:
            moved = without_account(moved)
        return self._moved(after, moved, talk), step, heard.effects

    def take_late(self, call: Call, talk: Talk, turn: Turn) -> Call:
        """The call after a turn that was answered without memory."""
        after, heard = self._hear(call, talk, turn)
        moved = flow.after_unknown_turn(after.talk or heard.talk, turn)
        return self._moved(after, without_account(moved), talk)

    def _hear(self, call: Call, talk: Talk, turn: Turn) -> tuple[Call, Heard]:
        tx, line, now = self.tx, self.line, self.now
        # Calls that were asked before the lock hear of it here: or as many could guess as call at once.
        if talk.place in _PROVING and is_locked(tx, line, call, now):
            talk = replace(talk, locked=True)
        heard = flow.hear(line, talk, turn, () if talk.locked else proofs(tx, line, call, now), now)
        after = replace(call, talk=heard.talk)
        for effect in heard.effects:
            after = self._apply(effect, after)
        return after, heard

    def _moved(self, after: Call, moved: Talk, before: Talk) -> Call:
        """Of a customer who was erased by this turn, the call keeps nothing."""
        return self._settled(replace(after, talk=None if after.talk is None else moved), before)

    def _settled(self, call: Call, before: Talk) -> Call:
        """A turn that comes after the hang-up still counts."""
        if lifecycle.state(call) is CallState.ACTIVE or call.talk is None:
            return call
        if call.talk.opened != before.opened:
            call = replace(call, talk=replace(call.talk, settled=False))
        end = lifecycle.call_end(call)
        return settle(self.tx, call, self.now if end is None else end)

    def _apply(self, effect: Effect, call: Call) -> Call:
        if isinstance(effect, Forgotten):
            return self._forgotten(call, effect.customer_ref)
        if lifecycle.state(call) is CallState.ENDED:
            return call  # the API end said whose call it was, and what is known of them; nothing changes that any more
        match effect:
            case Verified(ref):
                return self._verified(call, ref)
            case Refuted():
                return self._refuted(call)
            case WrongAnswer():
                return self._wrong_answer(call)
            case Identified(key, value):
                return self._identified(call, key, value)
            case Learned(name, value):
                return told(self.service, self.tx, call, name, value, self.now)
            case Withdrawn(intent):
                return withdrawn(self.tx, call, intent, self.now)

    def _forgotten(self, call: Call, ref: str) -> Call:
        """As by the API (semantics §8). Also of a call that the API has ended: it is about the person, not the call."""
        calls.save(self.tx, call)
        records.erase(self.tx, ref, self.now)
        return calls.find(self.tx, call.call_id) or call

    def _verified(self, call: Call, ref: str) -> Call:
        if is_verified(call) and call.customer_ref == ref:
            return call
        forget_wrong_answers(self.tx, self.line, call, ref, self.now)
        if ref != call.customer_ref:
            call = taken_along(self.service, self.tx, call, stand_on(self.tx, call, ref, self.now), self.now)
        return confirm(self.service, self.tx, call, self.now)

    def _refuted(self, call: Call) -> Call:
        """Whoever this call made known was taken for nobody, so there is nobody they turned out not to be.

        What an agent found out meanwhile stands: they heard more than an answer.
        """
        if is_verified(call) or call.undo.created_customer:
            return call
        return refute(self.service, self.tx, call, self.now)

    def _wrong_answer(self, call: Call) -> Call:
        """The one that locks is the last: it ends the question as if the tries were used up."""
        count_wrong_answer(self.tx, self.line, call, self.now)
        if not is_locked(self.tx, self.line, call, self.now):
            return call
        call = self._refuted(call)
        # Said of the call: whom it is about from now on was never guessed at.
        return call if call.talk is None else replace(call, talk=replace(call.talk, locked=True))

    def _identified(self, call: Call, key: str, value: str) -> Call:
        if self.line.confirm is not None:
            return note_named(self.tx, call, (key, value))
        # Recency would lift an id that anybody can key in to a greeting by name.
        distrust = call.distrust or Distrust.SELF_NAMED
        note = why_no_number(call)
        hints = Hints(call.ani, call.dnis, external_ids=((key, value),), ani_note=note, distrust=distrust)
        stood = stand_on_named(self.service, self.tx, call, hints, self.now)
        return taken_along(self.service, self.tx, call, stood, self.now)
