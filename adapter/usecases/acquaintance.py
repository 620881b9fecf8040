"""Who is calling, as the conversation may know them now. What costs a look-up is looked up only where it counts."""

from __future__ import annotations

from adapter.engine import flow
from adapter.engine.confidence import NOBODY
from adapter.engine.flow import Known
from adapter.engine.flow.trust import probable_at_most
from adapter.engine.line import Line
from adapter.engine.model import Call, Memory, Millis, Place, Recommendation, Talk, Verdict
from adapter.store.transaction import Transaction

from .proofs import PEOPLE_ASKED, is_locked, is_provable
from .recognition import people


def is_verified(call: Call) -> bool:
    """In this call, whoever found it out."""
    return call.verdict is Verdict.CONFIRMED


def acquainted(
    tx: Transaction, line: Line, call: Call, memory: Memory, now: Millis, owners: tuple[str, ...] | None = None
) -> Known:
    """`memory`: all that is known of the call's customer. `owners`: of the call's number; None: not read yet."""
    count, provable, locked = 1, False, False
    if _may_be_asked(line, call):
        owners = people(tx, call) if owners is None else owners
        count, locked = len(owners), is_locked(tx, line, call, now)
        provable = not locked and is_provable(tx, line, call, _may_be(call, owners), now)
    return known(line, call, memory, count, provable, locked)


def owes_proof(tx: Transaction, line: Line, call: Call, known: Known, now: Millis) -> bool:
    """Whether who probably calls has a proof to give, asked for it or locked out. Of a call that begins."""
    probable = probable_at_most(line, Talk(Place.LANGUAGE), known).recommendation is Recommendation.CONFIRM
    if line.confirm is None or known.verified or not probable:
        return False
    if known.locked:
        return is_provable(tx, line, call, _may_be(call, people(tx, call)), now)
    return known.provable


def known(
    line: Line, call: Call, memory: Memory, people: int = 1, provable: bool = False, locked: bool = False
) -> Known:
    """The same without any look-up."""
    return flow.known(
        line,
        call.call_id,
        call.customer_ref or "",
        call.identity or NOBODY,
        is_verified(call),
        memory,
        people,
        provable,
        locked,
        has_number=call.ani is not None and not (call.talk is not None and call.talk.unproved),
    )


def _may_be(call: Call, owners: tuple[str, ...]) -> tuple[str, ...]:
    """Whom the caller may turn out to be."""
    own = () if call.customer_ref is None or call.undo.created_customer else (call.customer_ref,)
    return owners[:PEOPLE_ASKED] if len(owners) > 1 else own


def _may_be_asked(line: Line, call: Call) -> bool:
    """Whether the caller may still be asked who they are."""
    if line.confirm is None or is_verified(call):
        return False
    return call.talk is None or not {Place.WHO, Place.CONFIRM} & {*call.talk.visited}
