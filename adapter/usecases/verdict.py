"""What an agent, a bot or the conversation found out in the call: it is them, or it is somebody else (semantics §8)."""

from __future__ import annotations

from dataclasses import replace

from adapter.engine import confidence, lifecycle
from adapter.engine.confidence import NOBODY
from adapter.engine.model import (
    Answer,
    Basis,
    Call,
    Evidence,
    Hints,
    Invalid,
    Issue,
    Millis,
    Missing,
    Principal,
    Started,
    Undo,
    Verdict,
)
from adapter.store import calls, customers
from adapter.store.transaction import Transaction

from .admission import admitted
from .recognition import merged, take_back, told_of_its_line
from .service import Service
from .settlement import released, taken_along
from .start import started_again


def give_verdict(
    service: Service, principal: Principal, call_id: str, verdict: Verdict | list[Issue]
) -> Answer[Started]:
    """POST /v1/calls/{call_id}/identity. Costs no quota; the same verdict again changes nothing."""

    def effect(tx: Transaction, now: Millis) -> Answer[Started]:
        if isinstance(verdict, list):
            return Answer(Invalid(tuple(verdict)))
        call = calls.find(tx, call_id)
        if call is None or call.customer_ref is None:
            return Answer(Missing("call"))
        if not customers.exists(tx, call.customer_ref):
            return Answer(Missing("customer"))
        refused = lifecycle.refuse_verdict(call, now, service.policy.calls)
        if refused is not None:
            return Answer(refused)
        if call.verdict is not verdict:
            call = confirm(service, tx, call, now) if verdict is Verdict.CONFIRMED else reject(service, tx, call, now)
            calls.save(tx, call)
        return Answer(started_again(tx, call, now))

    return admitted(service, principal, effect)


def confirm(service: Service, tx: Transaction, call: Call, now: Millis) -> Call:
    """Verified in this call: the number and the customer belong together from now on, old doubts are settled, and what
    was said so far is theirs.

    The call is not yet saved, here and in `reject`.
    """
    return released(service, tx, _confirmed(tx, call, now), now)


def _confirmed(tx: Transaction, call: Call, now: Millis) -> Call:
    ref = call.customer_ref or ""
    undo = _seen(tx, call, now)
    if call.ani is not None:
        owners = {link.customer_ref for link in customers.facts(tx, Hints(ani=call.ani)).ani}
        customers.link_ani(tx, call.ani, ref, now)
        undo = merged(undo, Undo(linked_ani=ref not in owners))
    customers.trust(tx, ref, call.ani, undo.presented, now)
    return replace(
        call,
        # What was presented pointed to somebody who was not believed, when the call made its own customer.
        identity=confidence.verified(() if call.basis is Basis.NEW else (call.identity or NOBODY).sources),
        basis=Basis.VERIFIED,
        evidence=(*call.evidence, Evidence("verdict", "caller", "verdict.confirmed", counted=True, weight=1.0)),
        would_raise=(),
        verdict=Verdict.CONFIRMED,
        verdict_at=now,
        undo=undo,
    )


def _seen(tx: Transaction, call: Call, now: Millis) -> Undo:
    """A customer whom the call only stood on, by what the caller named, was not seen before this."""
    ref = call.customer_ref or ""
    if call.undo.created_customer or call.undo.previous_contact is not None:
        return call.undo
    contact = customers.facts(tx, Hints(), also=(ref,)).customers[ref].last_contact
    customers.touch(tx, ref, now)
    return replace(call.undo, previous_contact=contact, seen_at=now)


def reject(service: Service, tx: Transaction, call: Call, now: Millis) -> Call:
    """Somebody else: nothing of the one who was found is touched, and their number is known to be shared."""
    return taken_along(service, tx, call, _rejected(service, tx, call, now, shares_line=True), now)


def refute(service: Service, tx: Transaction, call: Call, now: Millis) -> Call:
    """The same, found out by a question. A wrong answer is a doubt and no more: who gave it may be the customer all
    the same, and a second owner of the number would make them less sure for good."""
    return taken_along(service, tx, call, _rejected(service, tx, call, now, shares_line=False), now)


def _rejected(service: Service, tx: Transaction, call: Call, now: Millis, shares_line: bool) -> Call:
    was = call.customer_ref or ""
    shared_line = (
        shares_line
        and call.ani is not None
        and any(link.customer_ref == was for link in customers.facts(tx, Hints(ani=call.ani)).ani)
    )
    take_back(tx, call)
    customers.doubt(tx, was, call.ani, call.undo.presented)
    ref = service.ids.customer_ref()
    customers.create(tx, ref, now)
    if call.ani is not None and shared_line:
        customers.link_ani(tx, call.ani, ref, now, told_of_its_line(tx, call))
    return replace(
        call,
        customer_ref=ref,
        identity=NOBODY,
        basis=Basis.NEW,
        evidence=(*call.evidence, Evidence("verdict", "caller", "verdict.rejected", counted=False)),
        would_raise=("external_id", "customer_ref", "verdict"),
        verdict=Verdict.REJECTED,
        verdict_at=now,
        undo=Undo(created_customer=True, linked_ani=shared_line, presented=call.undo.presented),
    )
