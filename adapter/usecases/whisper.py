"""What the person who takes a call is told before the caller is connected. Leaves out: what is told (`flow`)."""

from __future__ import annotations

from adapter.engine import flow
from adapter.engine.flow import Whispered
from adapter.engine.line import Line
from adapter.engine.model import Principal
from adapter.store import calls
from adapter.store.memory import memory
from adapter.store.transaction import Transaction

from .acquaintance import known
from .service import Service


def whispered(service: Service, principal: Principal, line: Line, call_id: str, number: int) -> Whispered | None:
    """What to say to who answers the hand-over of step `number`; None when there is nothing to tell. Reads only."""
    with service.store.read(principal.realm) as tx:
        return _whispered(service, tx, line, call_id, number)


def _whispered(service: Service, tx: Transaction, line: Line, call_id: str, number: int) -> Whispered | None:
    call = calls.find(tx, call_id)
    if call is None or call.talk is None or call.talk.turn != number or call.customer_ref is None:
        return None
    return flow.whisper(line, call.talk, known(line, call, memory(tx, call.customer_ref, service.clock.now())))
