"""Values at rest: sealed with AES-GCM, found by a keyed hash (a blind index), under keys that can be changed.

The newest key seals; every configured key opens and finds, and so does "no key", so that encryption can be switched on
and keys changed while the service runs; `rekey` then brings everything under the newest key. Without keys values are
stored plainly. Leaves out: which columns are sealed (the modules beside this one).

A sealed value: b"\\x00" + UTF-8 (plain), or b"\\x01" + length of key id + key id + 12 bytes nonce + ciphertext and tag.
Random nonces are safe for about 2**32 values a key: change keys long before that.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapter.errors import KeyMissing, SealBroken

TOKEN_BYTES = 16
_NONCE_BYTES = 12
_PLAIN = b"\x00"
_SEALED = b"\x01"
_LEAST_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Key:
    """One configured key's subkeys: one key must not serve two purposes."""

    header: bytes
    cipher: AESGCM
    index: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)


class Keyring:
    """The keys of values at rest, newest first; immutable, safe between threads and after a fork."""

    def __init__(self, keys: Sequence[tuple[str, bytes]] = ()) -> None:
        """`keys`: (id, at least 16 random bytes). Ids are kept beside every value: 1 to 64 ASCII characters, unique."""
        if len({key_id for key_id, _ in keys}) != len(keys):
            raise ValueError("two encryption keys have the same id")
        self._keys = tuple(_derive(key_id, key) for key_id, key in keys)
        self._by_header = {key.header: key for key in self._keys}

    def token(self, kind: str, *parts: str) -> bytes:
        """The blind index of these parts under the newest key: 16 bytes."""
        message = _message(kind, parts)
        return _index(self._keys[0].index, message) if self._keys else _plain_index(message)

    def tokens(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Every index under which a row with these parts may be found, newest first, the unkeyed one last."""
        message = _message(kind, parts)
        return (*(_index(key.index, message) for key in self._keys), _plain_index(message))

    def seal(self, text: str, context: bytes) -> bytes:
        """`context` names the row: a value copied into another row does not open there."""
        # surrogatepass: JSON may carry lone surrogates, and a value must come back as it went in.
        data = text.encode("utf-8", "surrogatepass")
        if not self._keys:
            return _PLAIN + data
        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        return key.header + nonce + key.cipher.encrypt(nonce, data, context)

    def open(self, sealed: bytes, context: bytes) -> str:
        """The text; SealBroken when the key is not configured, or bytes or row were changed."""
        if sealed[:1] == _PLAIN:
            return sealed[1:].decode("utf-8", "surrogatepass")
        header = _header_of(sealed)
        key = self._by_header.get(header)
        if key is None and sealed[:1] == _SEALED:
            raise KeyMissing("a stored value was sealed under a key that is not configured")
        if key is None:
            raise SealBroken("a stored value is not in the form in which values are stored")
        nonce, data = sealed[len(header) :][:_NONCE_BYTES], sealed[len(header) + _NONCE_BYTES :]
        try:
            return key.cipher.decrypt(nonce, data, context).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError) as error:
            raise SealBroken("a stored value was changed, or moved to another row") from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether this value is already as `seal` would make it today."""
        return _header_of(sealed) == (self._keys[0].header if self._keys else _PLAIN)

    def fingerprints(self, data: bytes) -> tuple[str, ...]:
        """Tells bodies apart without keeping them: 64 hex digits under every key and plain, newest first.

        The first is kept; all are compared, so that a request repeated across a change of keys is still the same.
        """
        keyed = tuple(hmac.digest(key.fingerprint, data, "sha256").hex() for key in self._keys)
        return (*keyed, hashlib.sha256(data).hexdigest())


def _derive(key_id: str, key: bytes) -> _Key:
    name = key_id.encode("ascii", "replace")
    if not 1 <= len(name) <= 64 or not key_id.isascii() or len(key) < _LEAST_KEY_BYTES:
        raise ValueError("an encryption key needs an id of 1 to 64 ASCII characters and at least 16 bytes")
    return _Key(
        header=_SEALED + bytes([len(name)]) + name,
        cipher=AESGCM(_subkey(key, b"seal")),
        index=_subkey(key, b"index"),
        fingerprint=_subkey(key, b"fingerprint"),
    )


def _subkey(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sticky-calls-adapter/" + purpose).derive(key)


def _header_of(sealed: bytes) -> bytes:
    if sealed[:1] != _SEALED:
        return sealed[:1]
    return sealed[: 2 + sealed[1]] if len(sealed) > 1 else sealed


def _message(kind: str, parts: tuple[str, ...]) -> bytes:
    """Length-prefixed, or ("ab", "c") and ("a", "bc") would be the same identity."""
    pieces = [piece.encode("utf-8", "surrogatepass") for piece in (kind, *parts)]
    return b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)


def _index(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")[:TOKEN_BYTES]


def _plain_index(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()[:TOKEN_BYTES]
