"""A customer with everything that can be remembered, for tests of export, erasure, sweep and rekey."""

from __future__ import annotations

from uuid import UUID

from adapter.engine.model import Call, Evidence, Intent, IntentStatus, LineType, Undo, Variable
from adapter.store import answers, calls, customers, memory, meters
from adapter.store.transaction import Transaction

A, B = str(UUID(int=1)), str(UUID(int=2))
ANI, DNIS = "+14155550123", "+14155550100"
PAIR = ("customer_id", "PERSONAL-12345")
NAME = Variable("name", "PERSONAL-John", "crm", 60, 100, 0, 60_100)
TIER = Variable("tier", "PERSONAL-Gold", None, 90, 100, 1, 90_100)
REFUND = Intent("refund", IntentStatus.OPEN, 1, 100, 0, 100, "CA1", {"note": "PERSONAL-note"})
DONE = Intent("upgrade", IntentStatus.RESOLVED, 0, 100, 1, 100, "CA1")
# Every personal byte string above, as it would be found in a file.
PERSONAL = (b"5550123", b"5550100", b"PERSONAL")


def remember(tx: Transaction, ref: str = A, call_id: str = "CA1") -> Call:
    """All of it; the customer's call."""
    customers.create(tx, ref, 100)
    customers.link_ani(tx, ANI, ref, 100, LineType.MOBILE)
    token = customers.link_external(tx, PAIR, ref, 100)
    customers.sight(tx, ANI, [PAIR, ("customer_ref", ref)], call_id, 100)
    memory.save_variables(tx, ref, [NAME, TIER], [])
    memory.save_intents(tx, ref, [REFUND, DONE])
    answers.keep(tx, "end", "PERSONAL-key", "f", {"ref": "PERSONAL-body"}, ref, 1000)
    call = Call(
        call_id,
        100,
        customer_ref=ref,
        ani=ANI,
        dnis=DNIS,
        evidence=(Evidence("ani", "mobile", "ani_weight", True, 0.5),),
        would_raise=("x",),
        undo=Undo(linked_external=(token,), presented=(token, customers.external_token(tx, ("other", "x")))),
    )
    calls.save(tx, call)
    meters.hit(tx, 0, 100)
    return call
