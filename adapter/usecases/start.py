"""A call begins: recognize the caller, give back what is known (semantics §6; the voice webhook: §9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.engine import idempotency, lifecycle
from adapter.engine.confidence import NOBODY
from adapter.engine.lifecycle import CallState
from adapter.engine.model import Answer, Call, Invalid, Issue, Memory, Millis, Principal, Rate, StartCall, Started
from adapter.store import answers, calls, customers
from adapter.store.database import Transaction
from adapter.store.memory import memory

from . import kept
from .admission import admitted, charge, hit, over_quota
from .recognition import recognize, recognize_again
from .service import Service

_VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a voice webhook comes to. `started` None: greet as nobody, for `reason` (rate | quota | late).

    `rate`: the organization's window, when this webhook was counted.
    """

    started: Started | None
    reason: str = ""
    rate: Rate | None = None


def start_call(service: Service, principal: Principal, command: StartCall | list[Issue]) -> Answer[Started]:
    """Reference, POST /v1/calls/start. A list of issues: the body was bad, which still counts against the rate."""

    def effect(tx: Transaction, now: Millis) -> Answer[Started]:
        if isinstance(command, list):
            return Answer(Invalid(tuple(command)))
        call = calls.find(tx, command.call_id)
        refused = over_quota(principal, tx, now) or lifecycle.refuse_start(call, now, service.policy.calls)
        if refused is not None:
            return Answer(refused)
        return Answer(_start(service, principal, tx, command, call, now))

    return admitted(service, principal, effect)


def greet(service: Service, principal: Principal, command: StartCall) -> Greeting:
    """A voice webhook: the same start, but never at the caller's cost, and a repeated one gets its first answer."""

    def work(tx: Transaction) -> Greeting:
        now = service.clock.now()
        before = answers.find(tx, _VOICE, command.call_id, now)
        if before is not None:
            return Greeting(kept.to_started(before.body))
        rate, refused = hit(service, principal, tx)
        if refused is not None:
            return Greeting(None, "rate")
        if over_quota(principal, tx, now) is not None:
            return Greeting(None, "quota", rate)
        greeting = _greet_once(service, principal, tx, command, now)
        if greeting.started is not None:
            ref, expires_at = greeting.started.customer_ref, idempotency.expires_at(now, service.policy.retention)
            answers.keep(tx, _VOICE, command.call_id, "", kept.from_started(greeting.started), ref, expires_at)
        return replace(greeting, rate=rate)

    return service.store.transact(principal.realm, work)


def _greet_once(service: Service, principal: Principal, tx: Transaction, command: StartCall, now: Millis) -> Greeting:
    call = calls.find(tx, command.call_id)
    if lifecycle.refuse_start(call, now, service.policy.calls) is None:
        return Greeting(_start(service, principal, tx, command, call, now))
    assert call is not None  # only a call can refuse
    if call.greeted_at is None:
        _start_late(service, tx, command, call, now)
        charge(principal, tx, now)
        return Greeting(None, "late")
    if lifecycle.state(call) is not CallState.ACTIVE or not _is_living(tx, call):
        return Greeting(None, "late")
    return Greeting(started_again(tx, call, now))  # started through the API under the same id


def _is_living(tx: Transaction, call: Call) -> bool:
    """An erased customer is not welcomed back."""
    return call.customer_ref is not None and customers.exists(tx, call.customer_ref)


def _start_late(service: Service, tx: Transaction, command: StartCall, call: Call, now: Millis) -> None:
    """The API end overtook the webhook: the memory is written, what is missing is the number the call came from."""
    call = replace(call, greeted_at=now, origin=command.origin)
    if _is_living(tx, call):
        hints = command.hints
        recognize_again(service, tx, call, hints, now)
        call = replace(call, ani=hints.ani or call.ani, dnis=hints.dnis or call.dnis)
    calls.save(tx, call)


def started_again(tx: Transaction, call: Call, now: Millis) -> Started:
    """The start answer of a call that already has its customer."""
    ref = call.customer_ref or ""
    return Started(call.call_id, ref, call.started_at, call.identity or NOBODY, memory(tx, ref, now))


def _start(
    service: Service, principal: Principal, tx: Transaction, command: StartCall, before: Call | None, now: Millis
) -> Started:
    """`before`: a call of which only the hang-up is known so far, or one whose id is free again."""
    found = recognize(service, tx, command.call_id, command.hints, now)
    decision = found.decision
    news = None if lifecycle.is_free(before, now, service.policy.calls) else before
    call = Call(
        call_id=command.call_id,
        started_at=news.started_at if news else now,
        customer_ref=found.customer_ref,
        origin=command.origin,
        greeted_at=now,
        hung_up_at=news.hung_up_at if news else None,
        basis=decision.basis,
        identity=decision.identity,
        evidence=decision.evidence,
        would_raise=decision.would_raise,
        policy_version=decision.policy_version,
        ani=command.hints.ani,
        dnis=command.hints.dnis,
        line_type=decision.line_type,
        undo=found.undo,
    )
    calls.save(tx, call)
    charge(principal, tx, now)
    known = Memory() if found.undo.created_customer else memory(tx, found.customer_ref, now)
    return Started(call.call_id, found.customer_ref, call.started_at, decision.identity, known)
