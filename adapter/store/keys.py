"""API keys: `sk_{mode}_` + 8 public characters + 43 secret ones. Shown once; kept only as a keyed hash.

The hash is HMAC-SHA256 under the service's pepper: a copy of the database alone lets nobody test guesses, and 256
random bits need no slow hash. Behind it stands which pepper that was, so that a pepper can be changed: a key that was
hashed under a former one is hashed anew when it is presented. Leaves out: caching look-ups, and what a key opens (use
cases).
"""

from __future__ import annotations

import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace

import sqlalchemy as sa

from adapter.engine.model import Millis, Mode
from adapter.errors import StoreUnavailable

from .database import Store
from .statements import Bound, Prepared, bind
from .tables import api_keys
from .transaction import NO_REALM, Row

_PUBLIC_CHARACTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_PUBLIC_LENGTH = 8
_SECRET_BYTES = 32
_DIGEST_BYTES = 32
_ID_BYTES = 4
_FORM = re.compile(r"(sk_(?:test|prod)_[a-z2-9]{8})[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key. `prefix` is public: the part before the secret. Times are epoch milliseconds.

    `pepper`: `pepper_id` of the one it is hashed under; "" for keys of version 0.2, which did not note it.
    """

    prefix: str
    organization: str
    mode: Mode
    label: str
    created_at: Millis
    expires_at: Millis | None = None
    revoked_at: Millis | None = None
    pepper: str = ""

    def opens(self, now: Millis) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_COLUMNS = [column for column in api_keys.c if column.name != "hash"]
_FIND = Prepared(sa.select(*_COLUMNS, api_keys.c.hash).where(api_keys.c.prefix == bind("prefix")))
_ALL = Prepared(sa.select(*_COLUMNS, api_keys.c.hash).order_by(api_keys.c.created_at, api_keys.c.prefix))
_INSERT = Prepared(sa.insert(api_keys))
_REVOKE = Prepared(
    sa.update(api_keys)
    .where(api_keys.c.prefix == bind("of_prefix"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=bind("now"))
)
_REHASH = Prepared(sa.update(api_keys).where(api_keys.c.prefix == bind("of_prefix")).values(hash=bind("new")))
_EXPIRE = Prepared(
    sa.update(api_keys).where(api_keys.c.prefix == bind("of_prefix")).values(expires_at=bind("expires_at"))
)


def issue(store: Store, pepper: bytes, organization: str, mode: Mode, label: str, now: Millis) -> tuple[str, KeyRecord]:
    """A new key: (the whole key, never to be seen again, its record)."""
    public = "".join(secrets.choice(_PUBLIC_CHARACTERS) for _ in range(_PUBLIC_LENGTH))
    prefix = f"sk_{mode.value}_{public}"
    presented = prefix + secrets.token_urlsafe(_SECRET_BYTES)
    record = KeyRecord(prefix, organization, mode, label, now)
    values = {"prefix": prefix, "organization": organization, "mode": mode.value, "label": label, "created_at": now}
    row = {**values, "hash": _kept(pepper, presented), "expires_at": None, "revoked_at": None}
    store.transact(NO_REALM, lambda tx: tx.execute(_INSERT, row))
    return presented, replace(record, pepper=pepper_id(pepper))


def pepper_id(pepper: bytes) -> str:
    """Names a pepper without telling it: 8 hex digits."""
    return hmac.digest(pepper, b"which pepper", "sha256")[:_ID_BYTES].hex()


def find(store: Store, pepper: bytes, presented: str, now: Millis, former: tuple[bytes, ...] = ()) -> KeyRecord | None:
    """The key's record; None when it is absent, wrong, revoked or expired, which nobody is to tell apart.

    `former`: peppers under which keys may still be hashed; such a key is brought under `pepper` here.
    """
    prefix = public_part(presented)
    if prefix is None:
        return None
    with store.read(NO_REALM) as tx:
        found = tx.row(_FIND, {"prefix": prefix})
    if found is None or not sum(_is_of(each, presented, found[-1]) for each in (pepper, *former)):
        return None
    record = _record(found)
    if not record.opens(now):
        return None
    if record.pepper != pepper_id(pepper):
        _bring_under(store, pepper, presented, prefix)
    return record


def public_part(presented: str) -> str | None:
    """A key's prefix; None for what has not the form of a key."""
    form = _FORM.fullmatch(presented)
    return None if form is None else form[1]


def is_there(store: Store, prefix: str) -> bool:
    """Whether a key with this prefix was ever issued, revoked ones too."""
    with store.read(NO_REALM) as tx:
        return tx.row(_FIND, {"prefix": prefix}) is not None


def all(store: Store) -> list[KeyRecord]:
    """Every key, the oldest first, revoked and expired ones too."""
    with store.read(NO_REALM) as tx:
        return [_record(row) for row in tx.rows(_ALL, {})]


def revoke(store: Store, prefix: str, now: Millis) -> bool:
    """The key opens nothing from now on. False when there is no such key, or it was revoked before."""
    return bool(store.transact(NO_REALM, lambda tx: tx.execute(_REVOKE, {"of_prefix": prefix, "now": now})))


def expire(store: Store, prefix: str, at: Millis) -> bool:
    """The key opens nothing from `at` on. False when there is no such key."""
    return bool(store.transact(NO_REALM, lambda tx: tx.execute(_EXPIRE, {"of_prefix": prefix, "expires_at": at})))


def _record(row: Row) -> KeyRecord:
    prefix, organization, mode, label, created_at, expires_at, revoked_at, kept = row
    which = bytes(kept)[_DIGEST_BYTES:].hex()
    return KeyRecord(prefix, organization, Mode(mode), label, created_at, expires_at, revoked_at, which)


def _bring_under(store: Store, pepper: bytes, presented: str, prefix: str) -> None:
    """A database that cannot be written now is no reason to turn the caller away: the next time does it."""
    values: dict[str, Bound] = {"of_prefix": prefix, "new": _kept(pepper, presented)}
    with suppress(StoreUnavailable):
        store.transact(NO_REALM, lambda tx: tx.execute(_REHASH, values))


def _is_of(pepper: bytes, presented: str, kept: bytes) -> bool:
    """In a time that does not tell where they differ."""
    return hmac.compare_digest(bytes(kept)[:_DIGEST_BYTES], _hash(pepper, presented))


def _kept(pepper: bytes, presented: str) -> bytes:
    return _hash(pepper, presented) + bytes.fromhex(pepper_id(pepper))


def _hash(pepper: bytes, presented: str) -> bytes:
    return hmac.digest(pepper, presented.encode(), "sha256")
