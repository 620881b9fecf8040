"""A voice webhook comes in: the first step of the call, whatever stands in the way (semantics §9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.engine import flow, idempotency, lifecycle
from adapter.engine.flow import Step
from adapter.engine.lifecycle import CallState
from adapter.engine.line import Line
from adapter.engine.model import Call, Millis, Principal, Rate, StartCall, Talk
from adapter.store import answers, calls, customers
from adapter.store.memory import memory
from adapter.store.transaction import Transaction

from . import admission, kept, recognition
from .acquaintance import acquainted, owes_proof
from .admission import charge, hit, over_quota
from .recognition import recognize_again
from .service import Service
from .settlement import settle
from .start import Begun, begin

_VOICE = "voice"
# How many of the customer's calls are looked at for the one that was cut off: this one, and another agent's perhaps.
_LATEST_CALLS = 3


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a voice webhook comes to. `reason`: why the caller is greeted as nobody (rate | quota | late), else "".

    `rate`: the organization's window, when this webhook was counted. `call`: as it is now, when it was begun here.
    """

    step: Step
    reason: str = ""
    rate: Rate | None = None
    call: Call | None = None


def greet(service: Service, principal: Principal, line: Line, command: StartCall) -> Greeting:
    """The same start as the API's, but never at the caller's cost; a repeated webhook gets its first step."""

    def work(tx: Transaction) -> Greeting:
        now = service.clock.now()
        before = answers.find(tx, _VOICE, command.call_id, now)
        if before is not None:
            # What an earlier version kept cannot be said again; its call was put through all the same.
            return Greeting(kept.to_step(before.body) or flow.neutral(line))
        rate, refused = hit(service, principal, tx)
        if refused is not None:
            return Greeting(flow.neutral(line), "rate")
        if over_quota(principal, tx, now) is not None:
            return Greeting(flow.neutral(line), "quota", rate)
        return replace(_greet_once(service, principal, tx, line, command, now), rate=rate)

    def ahead(tx: Transaction) -> None:
        now = service.clock.now()
        answers.find(tx, _VOICE, command.call_id, now)
        admission.look_ahead(service, principal, tx)
        calls.find(tx, command.call_id)
        recognition.look_ahead(tx, command.hints, now)

    return service.hurried(principal.realm, work, ahead)


def _greet_once(
    service: Service, principal: Principal, tx: Transaction, line: Line, command: StartCall, now: Millis
) -> Greeting:
    call = calls.find(tx, command.call_id)
    if lifecycle.refuse_start(call, now, service.policy.calls) is None:
        begun = begin(service, tx, command, call, now)
        charge(principal, tx, now)
        return _begin_talk(service, tx, line, begun, now)
    assert call is not None  # only a call can refuse
    if call.greeted_at is None:
        _start_late(service, tx, command, call, now)
        charge(principal, tx, now)
        return Greeting(flow.neutral(line), "late")
    if lifecycle.state(call) is not CallState.ACTIVE or call.talk is not None or not _is_living(tx, call):
        return Greeting(flow.neutral(line), "late")
    # Started through the API under the same id.
    return _begin_talk(service, tx, line, Begun(call, memory(tx, call.customer_ref or "", now), None), now)


def _begin_talk(service: Service, tx: Transaction, line: Line, begun: Begun, now: Millis) -> Greeting:
    call = begun.call
    resumed = _cut_off(tx, line, begun, now)
    known = acquainted(tx, line, call, begun.memory, now, begun.people)
    unproved = owes_proof(tx, line, call, known, now)
    talk, step = flow.begin(line, replace(known, has_number=known.has_number and not unproved), now, resumed)
    if unproved:
        talk = replace(talk, unproved=True)
    call = replace(call, talk=talk)
    if call.hung_up_at is not None:
        call = settle(tx, call, call.hung_up_at)
    calls.save(tx, call)
    expires_at = idempotency.expires_at(now, service.policy.retention)
    answers.keep(tx, _VOICE, call.call_id, "", kept.from_step(step), call.customer_ref or "", expires_at)
    return Greeting(step, call=call)


def _cut_off(tx: Transaction, line: Line, begun: Begun, now: Millis) -> Talk | None:
    """The conversation of the caller's last call from this number on this line, when it was cut off just now.

    Another number's may be that of somebody who only named the customer's account.
    """
    call = begun.call
    if line.resume_minutes <= 0 or call.undo.created_customer or call.customer_ref is None:
        return None
    latest = calls.of_customer(tx, call.customer_ref, _LATEST_CALLS)
    previous = next((each for each in latest if each.call_id != call.call_id), None)
    if previous is None or (previous.ani, previous.dnis) != (call.ani, call.dnis):
        return None
    return flow.resumable(line, previous, now)


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
