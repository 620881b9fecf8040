"""Who may ask: organizations from configuration, their keys from the store → a `Principal`.

Positive look-ups are cached for half a second, so that a revoked key is refused by every worker within a second
(semantics §1). Wrong keys are never cached: guessing must not fill the memory.
"""

from __future__ import annotations

import hashlib

from adapter.engine.model import Millis, Mode, Organization, Principal
from adapter.store import keys, organizations
from adapter.store.database import Store

_CACHE_MS = 500


class Directory:
    """Principals by organization and mode; registers the organizations' numbers in the store on first need."""

    def __init__(
        self, store: Store, pepper: bytes, known: tuple[Organization, ...], former: tuple[bytes, ...] = ()
    ) -> None:
        """`former`: peppers that were in use before, see `keys.find`."""
        self._store = store
        self.pepper = pepper
        self._former = former
        self._known = known
        self._principals: dict[tuple[str, Mode], Principal] = {}
        self._by_key: dict[bytes, tuple[Millis, Principal]] = {}

    def principal(self, organization: str, mode: Mode) -> Principal | None:
        """None: the configuration names no such organization (its keys stop working when it is taken out)."""
        if not self._principals:
            self._register()
        return self._principals.get((organization, mode))

    def principals(self, mode: Mode) -> list[Principal]:
        """Of every organization that is configured, in that order."""
        found = (self.principal(organization.id, mode) for organization in self._known)
        return [principal for principal in found if principal is not None]

    def by_key(self, presented: str, steady: Millis, now: Millis) -> Principal | None:
        """The principal a bearer key stands for; None when it is wrong, revoked, expired or nobody's."""
        digest = _digest(presented)
        cached = self._by_key.get(digest)
        if cached is not None and 0 <= steady - cached[0] < _CACHE_MS:
            return cached[1]
        record = keys.find(self._store, self.pepper, presented, now, self._former)
        principal = self.principal(record.organization, record.mode) if record else None
        if principal is None:
            self._by_key.pop(digest, None)
        else:
            self._by_key[digest] = (steady, principal)
        return principal

    def new_prefix(self, presented: str) -> str | None:
        """See `authentication.new_prefix`. One read of the store, and only for keys that were not right before."""
        prefix = keys.public_part(presented)
        if prefix is None or _digest(presented) in self._by_key:
            return None
        return prefix if keys.is_there(self._store, prefix) else ""

    def _register(self) -> None:
        wanted = [(org.id, org.plan.billing_account_id) for org in self._known]
        registered = organizations.register(self._store, wanted)
        self._principals = {
            (org.id, mode): _principal(org, mode, registered[org.id]) for org in self._known for mode in Mode
        }


def _digest(presented: str) -> bytes:
    return hashlib.sha256(presented.encode("utf-8", "replace")).digest()


def _principal(org: Organization, mode: Mode, registered: organizations.Registered) -> Principal:
    return Principal(org.id, registered.number, mode, registered.realm(mode), org.tier, org.plan)
