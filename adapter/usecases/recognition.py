"""Recognize the caller of a call and write down who-is-who; take it back when it turns out wrong (semantics §5, §8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapter.engine import identity
from adapter.engine.confidence import NOBODY
from adapter.engine.evidence import Standing, line_type
from adapter.engine.model import (
    AniLink,
    Basis,
    Call,
    Decision,
    Evidence,
    Facts,
    Hints,
    LineType,
    Millis,
    Recommendation,
    Undo,
)
from adapter.store import customers
from adapter.store.memory import memory
from adapter.store.transaction import Transaction

from .service import Service


@dataclass(frozen=True, slots=True)
class Recognized:
    """Whose call it is. `undo` is what writing it down has changed. `people`: whose the number was before, the most
    recently seen first."""

    customer_ref: str
    decision: Decision
    undo: Undo
    people: tuple[str, ...] = ()


def recognize(service: Service, tx: Transaction, call_id: str, hints: Hints, now: Millis) -> Recognized:
    """Decide whose call this is and link what the decision says."""
    facts, decision = _decide(service, tx, call_id, hints, now, None)
    return _write_down(service, tx, call_id, hints, facts, decision, now)


def look_ahead(tx: Transaction, hints: Hints, now: Millis) -> str | None:
    """Read what recognizing is going to read, and what is known of who will probably be found; who that is."""
    customers.facts(tx, hints)
    for pair in hints.external_ids if hints.ani else ():
        customers.sighting(tx, hints.ani or "", pair)
    probable = next(iter(customers.linked(tx, hints)), None)
    if probable is not None:
        memory(tx, probable, now)
    return probable


def recognize_again(service: Service, tx: Transaction, call: Call, hints: Hints, now: Millis) -> Recognized:
    """Decide with further evidence. When it is somebody else's call, what it changed before is taken back first."""
    assert call.customer_ref is not None
    standing = Standing(call.customer_ref, call.basis, call.undo.created_customer)
    facts, decision = _decide(service, tx, call.call_id, hints, now, standing)
    if decision.customer_ref == call.customer_ref:
        return _write_down(service, tx, call.call_id, hints, facts, decision, now)
    take_back(tx, call)
    # Anew, as if the call had come with this evidence: a number or an id that it made known is unknown again.
    if hints.ani == call.ani and hints.line_type is None:
        hints = replace(hints, line_type=told_of_its_line(tx, call))
    return recognize(service, tx, call.call_id, hints, now)


def told_of_its_line(tx: Transaction, call: Call) -> LineType | None:
    """What only this call told of its number's line: true of the number, whoever called. None: nothing, or it is known
    without it, from when on then counts. The call is taken back."""
    told, known = call.line_type, line_type(Hints(), customers.facts(tx, Hints(ani=call.ani)))
    return None if told in (known, LineType.UNKNOWN) else told


def decided(call: Call, found: Recognized, hints: Hints) -> Call:
    """The call as its new customer's. A verdict was about the one before: only its line in the explanation is left."""
    decision = found.decision
    return replace(
        call,
        customer_ref=found.customer_ref,
        verdict=None,
        verdict_at=None,
        basis=decision.basis,
        identity=decision.identity,
        evidence=(*_verdicts_before(call), *decision.evidence),
        would_raise=decision.would_raise,
        policy_version=decision.policy_version,
        ani=hints.ani or call.ani,
        dnis=hints.dnis or call.dnis,
        line_type=decision.line_type,
        undo=found.undo,
        distrust=hints.distrust or call.distrust,
    )


def _verdicts_before(call: Call) -> Iterator[Evidence]:
    """They counted for somebody else."""
    return (replace(line, counted=False, weight=0.0) for line in call.evidence if line.kind == "verdict")


def decide_again(service: Service, tx: Transaction, call: Call, hints: Hints, now: Millis) -> Call:
    """The call with further evidence: what it is known by grows, or it is somebody else's, whose it becomes wholly."""
    if call.customer_ref is None:
        return decided(call, recognize(service, tx, call.call_id, hints, now), hints)
    found = recognize_again(service, tx, call, hints, now)
    if found.customer_ref != call.customer_ref:
        return decided(call, found, hints)
    evidence = _with_news(call, found.decision.evidence)
    return replace(call, basis=found.decision.basis, evidence=evidence, undo=merged(call.undo, found.undo))


def note_named(tx: Transaction, call: Call, pair: tuple[str, str]) -> Call:
    """The caller named an account and is still to prove that it is theirs: that changes nothing but the explanation."""
    named = Evidence("external_id", pair[0], "external_id.named", counted=False)
    undo = merged(call.undo, Undo(presented=(customers.external_token(tx, pair),)))
    return replace(call, evidence=_with_news(call, (named,)), undo=undo)


def stand_on_named(service: Service, tx: Transaction, call: Call, hints: Hints, now: Millis) -> Call:
    """Whose call it is by the account that the caller named, where no proof is asked for.

    Nothing is linked for it and nobody was seen: else the next call from that number would be the account's customer's.
    """
    standing = Standing(call.customer_ref or "", call.basis, call.undo.created_customer)
    _, decision = _decide(service, tx, call.call_id, hints, now, standing)
    undo = Undo(presented=tuple(customers.external_token(tx, pair) for pair in hints.external_ids))
    ref = decision.customer_ref
    if ref in (None, call.customer_ref) or decision.identity.recommendation is Recommendation.IGNORE:
        return replace(call, evidence=_with_news(call, decision.evidence), undo=merged(call.undo, undo))
    take_back(tx, call)
    return decided(call, Recognized(ref or "", decision, undo), hints)


def _with_news(call: Call, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The call's evidence, and what this says of external ids besides."""
    news = (line for line in evidence if line.kind == "external_id" and line not in call.evidence)
    return (*call.evidence, *news)


def stand_on(tx: Transaction, call: Call, ref: str, now: Millis) -> Call:
    """Another customer it is, of the same number or of a named account: the call is taken back from whom it stood on.
    Not yet verified."""
    take_back(tx, call)
    facts = customers.facts(tx, Hints(ani=call.ani), also=(ref,))
    before = next((link for link in facts.ani if link.customer_ref == ref), None)
    undo = Undo(previous_contact=facts.customers[ref].last_contact, seen_at=now, presented=call.undo.presented)
    customers.touch(tx, ref, now)
    return replace(
        call,
        customer_ref=ref,
        identity=NOBODY,
        basis=Basis.ANI,
        undo=undo if before is None else _seen_before(undo, before),
    )


def why_no_number(call: Call) -> str | None:
    """The note that came with a call without a number (`Hints.ani_note`): it is kept in the explanation."""
    lines = (line.rule.removeprefix("ani.") for line in call.evidence if call.ani is None and line.kind == "ani")
    return next(lines, None)


def people(tx: Transaction, call: Call) -> tuple[str, ...]:
    """Whose the call's number is, the most recently seen first; not counting whom this very call made."""
    if call.ani is None:
        return ()
    owners = (link.customer_ref for link in customers.facts(tx, Hints(ani=call.ani)).ani)
    return tuple(ref for ref in owners if not (call.undo.created_customer and ref == call.customer_ref))


def _decide(
    service: Service, tx: Transaction, call_id: str, hints: Hints, now: Millis, standing: Standing | None
) -> tuple[Facts, Decision]:
    facts = customers.facts(tx, hints, also=(standing.customer_ref,) if standing else ())
    return facts, identity.resolve(call_id, hints, facts, service.policy, now, standing)


def _write_down(
    service: Service, tx: Transaction, call_id: str, hints: Hints, facts: Facts, decision: Decision, now: Millis
) -> Recognized:
    """Create or touch the customer, make the links. `facts` are those the decision was made from."""
    ref, contact = _touched(service, tx, facts, decision, now)
    before = _link_ani(tx, hints, facts, decision, ref, now)
    linked = tuple(customers.link_external(tx, pair, ref, now) for pair in decision.links.external)
    if hints.ani is not None and decision.links.sightings:
        customers.sight(tx, hints.ani, decision.links.sightings, call_id, now)
    undo = Undo(
        created_customer=decision.customer_ref is None,
        linked_ani=before is None and _links_ani(hints, decision),
        linked_external=linked,
        presented=tuple(customers.external_token(tx, pair) for pair in hints.external_ids),
        previous_contact=contact,
    )
    people = tuple(link.customer_ref for link in facts.ani)
    return Recognized(ref, decision, undo if before is None else _seen_before(undo, before), people)


def _touched(
    service: Service, tx: Transaction, facts: Facts, decision: Decision, now: Millis
) -> tuple[str, Millis | None]:
    """The customer, and when they were last in touch; a new one was not."""
    if decision.customer_ref is None:
        ref = service.ids.customer_ref()
        customers.create(tx, ref, now)
        return ref, None
    customers.touch(tx, decision.customer_ref, now)
    return decision.customer_ref, facts.customers[decision.customer_ref].last_contact


def take_back(tx: Transaction, call: Call) -> None:
    """Undo what this call changed of who-is-who: its links go, its customer was not seen after all."""
    undo, ref = call.undo, call.customer_ref
    if ref is None:
        return
    for token in undo.linked_external:
        customers.unlink_external(tx, token, ref, call.greeted_at, call.verdict_at)
    if call.ani is not None and _was_seen_last_by(tx, call, call.ani, ref):
        _take_number_back(tx, undo, call.ani, ref)
    # Not when the call started: a hang-up that came first dates that further back.
    seen_at = call.greeted_at if undo.seen_at is None else undo.seen_at
    if undo.previous_contact is not None and seen_at is not None:
        customers.restore_contact(tx, ref, undo.previous_contact, only_if=seen_at)


def _was_seen_last_by(tx: Transaction, call: Call, ani: str, ref: str) -> bool:
    """Whether nobody else called from that number as this customer since: their link is not this call's to undo."""
    link = next((link for link in customers.facts(tx, Hints(ani=ani)).ani if link.customer_ref == ref), None)
    return link is not None and link.last_seen in (call.greeted_at, call.verdict_at)


def _take_number_back(tx: Transaction, undo: Undo, ani: str, ref: str) -> None:
    if undo.linked_ani:
        customers.unlink_ani(tx, ani, ref)
    elif undo.previous_ani_seen is not None:
        customers.restore_ani(tx, ani, ref, undo.previous_ani_seen, undo.previous_line_type, undo.previous_line_type_at)


def merged(first: Undo, then: Undo) -> Undo:
    """What two steps of one call changed together: the first step's "before" is the call's "before"."""
    number_first = first.linked_ani or first.previous_ani_seen is not None
    before = first if number_first else then
    met = first if first.previous_contact is not None else then
    return Undo(
        created_customer=first.created_customer or then.created_customer,
        linked_ani=first.linked_ani or then.linked_ani,
        linked_external=(*first.linked_external, *then.linked_external),
        previous_contact=met.previous_contact,
        seen_at=met.seen_at,
        previous_ani_seen=before.previous_ani_seen,
        previous_line_type=before.previous_line_type,
        previous_line_type_at=before.previous_line_type_at,
        presented=tuple(dict.fromkeys((*first.presented, *then.presented))),
        intents=(*first.intents, *then.intents),
        variables=(*first.variables, *then.variables),
        told_until=(*first.told_until, *then.told_until),
    )


def _links_ani(hints: Hints, decision: Decision) -> bool:
    return hints.ani is not None and decision.links.ani


def _link_ani(tx: Transaction, hints: Hints, facts: Facts, decision: Decision, ref: str, now: Millis) -> AniLink | None:
    """The link as it was before; None: there was none, or none is made."""
    if hints.ani is None or not _links_ani(hints, decision):
        return None
    before = next((link for link in facts.ani if link.customer_ref == ref), None)
    is_there = True if before is not None else None if len(facts.ani) >= customers.LINKS_CONSIDERED else False
    customers.link_ani(tx, hints.ani, ref, now, hints.line_type, is_there=is_there)
    return before


def _seen_before(undo: Undo, link: AniLink) -> Undo:
    return replace(
        undo,
        previous_ani_seen=link.last_seen,
        previous_line_type=link.line_type,
        previous_line_type_at=link.line_type_at,
    )
