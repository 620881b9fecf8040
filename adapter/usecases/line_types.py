"""Whether a number's line type should be looked up, and remembering what was found (semantics §5, line type).

What a request said of a line counts like a look-up: both are asked about again after thirty days.
Leaves out: who looks up (`adapter.lookups`), what a line type is worth (`engine.confidence`).
"""

from __future__ import annotations

from adapter.engine.evidence import line_type as newest
from adapter.engine.model import Hints, LineType, Millis, Principal
from adapter.engine.policy import DAY
from adapter.store import customers
from adapter.store.transaction import Transaction

from .service import Service

# Numbers are ported between mobile and voip carriers, but seldom; every look-up costs money.
_KNOWN_FOR_MS = 30 * DAY


def is_due(service: Service, principal: Principal, ani: str) -> bool:
    """A number that somebody has, and of which nothing was told or found in the last thirty days."""
    with service.store.read(principal.realm) as tx:
        return _is_due(tx, ani, service.clock.now())


def note(service: Service, principal: Principal, ani: str, line_type: LineType) -> None:
    """Remember a line type that was looked up. What a request said in the meantime stays; `unknown` forgets nothing."""

    def work(tx: Transaction) -> None:
        now = service.clock.now()
        if not _is_due(tx, ani, now):
            return
        hints = Hints(ani=ani)
        found = newest(hints, customers.facts(tx, hints)) if line_type is LineType.UNKNOWN else line_type
        customers.note_line_type(tx, ani, found, now)

    service.store.transact(principal.realm, work)


def _is_due(tx: Transaction, ani: str, now: Millis) -> bool:
    links = customers.facts(tx, Hints(ani=ani)).ani
    return bool(links) and max(link.line_type_at for link in links) <= now - _KNOWN_FOR_MS
