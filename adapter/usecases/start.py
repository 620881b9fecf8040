"""A call begins: recognize the caller, give back what is known (semantics §6). Leaves out: the voice webhook
(`greeting`)."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.engine import lifecycle
from adapter.engine.confidence import NOBODY
from adapter.engine.model import Answer, Call, Invalid, Issue, Memory, Millis, Principal, StartCall, Started
from adapter.store import calls
from adapter.store.memory import memory
from adapter.store.transaction import Transaction

from .admission import admitted, charge, over_quota
from .recognition import decided, look_ahead, recognize
from .service import Service


def start_call(service: Service, principal: Principal, command: StartCall | list[Issue]) -> Answer[Started]:
    """Reference, POST /v1/calls/start. A list of issues: the body was bad, which still counts against the rate."""

    def effect(tx: Transaction, now: Millis) -> Answer[Started]:
        if isinstance(command, list):
            return Answer(Invalid(tuple(command)))
        call = calls.find(tx, command.call_id)
        refused = over_quota(principal, tx, now) or lifecycle.refuse_start(call, now, service.policy.calls)
        if refused is not None:
            return Answer(refused)
        begun = begin(service, tx, command, call, now)
        calls.save(tx, begun.call)
        charge(principal, tx, now)
        return Answer(started(begun))

    def ahead(tx: Transaction, now: Millis) -> None:
        if isinstance(command, StartCall):
            calls.find(tx, command.call_id)
            look_ahead(tx, command.hints, now)

    return admitted(service, principal, effect, ahead)


def started_again(tx: Transaction, call: Call, now: Millis) -> Started:
    """The start answer of a call that already has its customer."""
    ref = call.customer_ref or ""
    return Started(call.call_id, ref, call.started_at, call.identity or NOBODY, memory(tx, ref, now))


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that has its customer, not yet saved. `memory`: what was known of them. `people`: whose its number was
    before, the most recently seen first; None: not looked up."""

    call: Call
    memory: Memory
    people: tuple[str, ...] | None


def begin(service: Service, tx: Transaction, command: StartCall, before: Call | None, now: Millis) -> Begun:
    """`before`: a call of which only the hang-up is known so far, or one whose id is free again."""
    found = recognize(service, tx, command.call_id, command.hints, now)
    news = None if lifecycle.is_free(before, now, service.policy.calls) else before
    bare = Call(
        call_id=command.call_id,
        started_at=news.started_at if news else now,
        origin=command.origin,
        greeted_at=now,
        hung_up_at=news.hung_up_at if news else None,
    )
    known = Memory() if found.undo.created_customer else memory(tx, found.customer_ref, now)
    return Begun(decided(bare, found, command.hints), known, found.people)


def started(begun: Begun) -> Started:
    """The start answer."""
    call = begun.call
    return Started(call.call_id, call.customer_ref or "", call.started_at, call.identity or NOBODY, begun.memory)
