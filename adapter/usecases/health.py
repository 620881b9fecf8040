"""Whether this service can do its work now: save what callers and clients say. Known within a second (reference, GET
/v1/health), also when the database hangs."""

from __future__ import annotations

from adapter.errors import AdapterError
from adapter.store import clocks, presence
from adapter.store.transaction import NO_REALM, Transaction

from .service import Service

# What was saved so short a time ago is proof enough: whoever asks again and again must not make the disk work.
_PROOF_SECONDS = 1.0
# The rest of the second is for the way to a thread, and of the answer.
_PATIENCE_SECONDS = 0.6
# A look at a table finds damage only where it looks. What a call has met with counts for so long, or until one goes
# well: longer than until what waits for the database is tried again.
_DAMAGE_SECONDS = 30.0


def health(service: Service) -> bool:
    """Reading would not tell of a full disk, or of a lock that nobody lets go of."""
    if service.outage.damaged_within(_DAMAGE_SECONDS):
        return False
    if service.outage.worked_within(_PROOF_SECONDS):
        return True
    try:
        service.probe.ask(lambda: service.hurried(NO_REALM, _look), _PATIENCE_SECONDS)
    except AdapterError:
        return False
    return True


def _look(tx: Transaction) -> None:
    clocks.touch(tx)
    presence.look(tx)
