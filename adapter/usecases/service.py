"""What every use case works with: the store, time, ids, the rules' numbers, and who is who."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from adapter.clock import Clock, Ids
from adapter.engine.line import Line
from adapter.engine.model import Realm
from adapter.engine.policy import Policy
from adapter.store.database import Ahead, Store
from adapter.store.inbox import Inbox
from adapter.store.outage import Outage
from adapter.store.probe import Probe
from adapter.store.transaction import Transaction

from .directory import Directory
from .full_windows import FullWindows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """Made once per process by `adapter.app`. `inbox` None: what cannot be saved is lost, not kept. `lines`: of the
    configuration. `patience_seconds`: how long a caller waits for the store before they are served without it.
    `outage`: what this process has seen of the store while somebody waited for it, `probe`: its question whether that
    works now."""

    store: Store
    clock: Clock
    ids: Ids
    directory: Directory
    policy: Policy = field(default_factory=Policy)
    inbox: Inbox | None = None
    full_windows: FullWindows = field(default_factory=FullWindows)
    lines: tuple[Line, ...] = ()
    patience_seconds: float = 1.0
    outage: Outage = field(default_factory=Outage)
    probe: Probe = field(default_factory=Probe)

    def hurried(self, realm: Realm, work: Callable[[Transaction], T], ahead: Ahead | None = None) -> T:
        """`Store.transact` for whom a caller waits: StoreUnavailable soon, and at once while the store is away and
        another one is trying already."""
        with self.outage.attempt():
            return self.store.transact(realm, work, self.patience_seconds, ahead)

    def fingerprints(self, body: bytes) -> tuple[str, ...]:
        """Keyed hashes of a request body: a plain hash of a body with a phone number in it is soon guessed."""
        return self.store.keyring.fingerprints(body)
