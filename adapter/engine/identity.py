"""Who is calling: evidence → candidate → score → whose memory the call belongs to, what gets linked (semantics §5).

Pure and total: any hints and facts give a decision, the same ones the same. Leaves out: how the store finds facts, and
what the call then does (`lifecycle`). The linking rules are strict because a link made too eagerly greets a stranger
with somebody else's name.
"""

from __future__ import annotations

from . import confidence
from .confidence import NOBODY, Agreement
from .evidence import Case, ExternalIds, Pair, Standing, conflicts, left_out, line_type, sort_external_ids
from .model import (
    AniLink,
    Basis,
    Decision,
    Evidence,
    Facts,
    Hints,
    Identity,
    LineType,
    Links,
    Millis,
    Recommendation,
)
from .policy import Policy


def resolve(
    call_id: str, hints: Hints, facts: Facts, policy: Policy, now: Millis, standing: Standing | None = None
) -> Decision:
    """Decide whose call this is. `facts` must hold every living customer that `hints` or `standing` name."""
    if standing is not None and standing.customer_ref not in facts.customers:
        standing = None  # erased meanwhile: nothing may be written for it again
    case = Case(call_id, hints, facts, policy, now, standing)
    ids = sort_external_ids(case)
    candidate, basis = _candidate(case, ids)
    if candidate is None:
        return _newcomer(case, ids, NOBODY, left_out(case, ids, None))
    agreement = _agreement(case, ids, candidate)
    identity, scored = confidence.score(agreement, policy.identity, now)
    evidence = (*scored, *left_out(case, ids, candidate))
    if standing is None and identity.recommendation is Recommendation.IGNORE:
        ignored = Evidence("candidate", basis.value, "candidate.ignored", counted=False)
        return _newcomer(case, ids, identity, (*evidence, ignored), found=candidate, link_ani=False)
    if basis is Basis.ANI and _is_another_person(case, ids, candidate):
        stranger = Evidence("ani", "line", "ani.other_person", counted=False)
        return _newcomer(case, ids, NOBODY, (stranger, *left_out(case, ids, None, skip_ani=True)), found=candidate)
    return Decision(
        customer_ref=candidate,
        identity=identity,
        basis=basis,
        links=_links(case, ids, candidate, basis),
        evidence=evidence,
        would_raise=_would_raise(agreement, identity),
        policy_version=policy.version,
        line_type=line_type(hints, facts),
        found=candidate,
    )


def _candidate(case: Case, ids: ExternalIds) -> tuple[str | None, Basis]:
    """customer_ref, then external id, then ANI; what the call already stands on is stronger than its like."""
    standing = case.standing
    if case.hints.customer_ref in case.facts.customers:
        return case.hints.customer_ref, Basis.CUSTOMER_REF
    if standing and standing.basis in (Basis.VERIFIED, Basis.CUSTOMER_REF):
        return standing.customer_ref, standing.basis
    if ids.known:
        return ids.known[0][1].customer_ref, Basis.EXTERNAL_ID
    if standing:
        return standing.customer_ref, standing.basis
    if case.facts.ani:
        return _most_recent(case).customer_ref, Basis.ANI
    return None, Basis.NEW


def _most_recent(case: Case) -> AniLink:
    """The customer most recently seen; the ref breaks a tie so that the same facts give the same answer."""
    customers = case.facts.customers
    return max(
        case.facts.ani,
        key=lambda link: (link.last_seen, customers[link.customer_ref].last_contact, link.customer_ref),
    )


def _agreement(case: Case, ids: ExternalIds, candidate: str) -> Agreement:
    own_line = next((link for link in case.facts.ani if link.customer_ref == candidate), None)
    own_ids = [link for _, link in ids.known if link.customer_ref == candidate]
    doubts = sum(link.doubts for link in own_ids) + (own_line.doubts if own_line else 0)
    return Agreement(
        customer_ref=case.hints.customer_ref == candidate,
        ani=line_type(case.hints, case.facts) if own_line else None,
        sharers=len(case.facts.ani) or 1,
        external_id=bool(own_ids),
        last_contact=case.facts.customers[candidate].last_contact,
        doubted=doubts > 0,
        distrust=case.hints.distrust,
    )


def _is_another_person(case: Case, ids: ExternalIds, candidate: str) -> bool:
    """A new external id on a known number: the same person only on a personal line with nothing under that key."""
    if not ids.new or (case.standing and case.standing.created_here):
        return False
    kind = line_type(case.hints, case.facts)
    personal = kind is LineType.MOBILE or (kind is LineType.UNKNOWN and len(case.facts.ani) == 1)
    return not personal or any(conflicts(case, pair, candidate) for pair in ids.new)


def _links(case: Case, ids: ExternalIds, candidate: str, basis: Basis) -> Links:
    attach = tuple(pair for pair in ids.new if not conflicts(case, pair, candidate))
    return Links(
        ani=_may_link_ani(case, ids, candidate, basis), external=_one_per_key(attach), sightings=_sightings(case, ids)
    )


def _may_link_ani(case: Case, ids: ExternalIds, candidate: str, basis: Basis) -> bool:
    """A number that already is somebody's gets a second owner only when it is seen with the same id a second time."""
    if case.hints.ani is None:
        return False
    owners = {link.customer_ref for link in case.facts.ani}
    if not owners or candidate in owners or basis is Basis.VERIFIED:
        return True
    supporting = [pair for pair, link in ids.known if link.customer_ref == candidate]
    if case.hints.customer_ref == candidate:
        supporting.append(("customer_ref", candidate))
    before = [case.facts.sightings[pair].with_this_ani_in_call for pair in supporting if pair in case.facts.sightings]
    return any(call_id not in (None, case.call_id) for call_id in before)


def _sightings(case: Case, ids: ExternalIds) -> tuple[Pair, ...]:
    if case.hints.ani is None:
        return ()
    ref = case.hints.customer_ref
    return (*ids.presented, *((("customer_ref", ref),) if ref in case.facts.customers and ref else ()))


def _one_per_key(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """A key names one thing about a person; hints are a mapping, so this only guards against a caller that is not."""
    return tuple({key: (key, value) for key, value in reversed(pairs)}.values())[::-1]


def _newcomer(
    case: Case,
    ids: ExternalIds,
    identity: Identity,
    evidence: tuple[Evidence, ...],
    found: str | None = None,
    link_ani: bool = True,
) -> Decision:
    """A new customer. Its number is linked unless its owner was found but not believed (semantics §5, ignore)."""
    links = Links(
        ani=link_ani and case.hints.ani is not None,
        external=_one_per_key(ids.new),
        sightings=_sightings(case, ids),
    )
    return Decision(
        customer_ref=None,
        identity=identity,
        basis=Basis.NEW,
        links=links,
        evidence=evidence,
        would_raise=("external_id", "customer_ref", "verdict"),
        policy_version=case.policy.version,
        line_type=line_type(case.hints, case.facts),
        found=found,
    )


def _would_raise(agreement: Agreement, identity: Identity) -> tuple[str, ...]:
    """What would have made us surer, so that an integrator knows what to send."""
    if identity.confidence >= 1.0:
        return ()
    missing = {
        "external_id": not agreement.external_id and not agreement.customer_ref,
        "line_type": agreement.ani in (LineType.UNKNOWN,),
        "ani": agreement.ani is None,
        "customer_ref": not agreement.customer_ref,
        "verdict": True,
    }
    return tuple(name for name, lacks in missing.items() if lacks)
