"""What every use case works with: the store, time, ids, the rules' numbers, and who is who."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.clock import Clock, Ids
from adapter.engine.policy import Policy
from adapter.store.database import Store
from adapter.store.inbox import Inbox

from .directory import Directory
from .full_windows import FullWindows


@dataclass(frozen=True, slots=True)
class Service:
    """Made once per process by `adapter.app`. `inbox` None: hang-ups that cannot be saved are refused, not kept."""

    store: Store
    clock: Clock
    ids: Ids
    directory: Directory
    policy: Policy = field(default_factory=Policy)
    inbox: Inbox | None = None
    full_windows: FullWindows = field(default_factory=FullWindows)

    def fingerprints(self, body: bytes) -> tuple[str, ...]:
        """Keyed hashes of a request body: a plain hash of a body with a phone number in it is soon guessed."""
        return self.store.keyring.fingerprints(body)
