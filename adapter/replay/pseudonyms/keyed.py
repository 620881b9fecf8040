"""The key of a recording, and what is drawn from it. Without the key no number can be tried out against a pseudonym."""

from __future__ import annotations

import hmac
import secrets
from functools import lru_cache
from pathlib import Path

from adapter.errors import AdapterError

_SHORTEST = 16  # bytes


class KeyUnusable(AdapterError):
    """The key file is empty or too short to protect anything."""

    code = "key_unusable"


class Key:
    """Draws from HMAC-SHA256. One key, one pseudonym for a value: across calls, files and processes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SHORTEST:
            raise KeyUnusable(f"the key of the pseudonyms needs at least {_SHORTEST} bytes")
        self._secret = secret
        self.cycle = lru_cache(maxsize=50_000)(self._cycle)

    @classmethod
    def random(cls) -> Key:
        """A key that lives as long as the process."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def in_file(cls, path: Path) -> Key:
        """The operator's own: recordings made at different times, or by several workers, fit together."""
        return cls(path.read_bytes().strip())

    def draw(self, purpose: str, text: str) -> bytes:
        """32 bytes; `purpose` keeps draws for different ends apart."""
        return hmac.digest(self._secret, f"{purpose}\0{text}".encode("utf-8", "surrogatepass"), "sha256")

    def _cycle(self, alphabet: str, behind: str) -> dict[str, str]:
        """A permutation of `alphabet` that leaves no character where it was: one cycle through all of them."""
        pool = sorted(alphabet, key=lambda character: self.draw(f"cycle {alphabet}", f"{behind}\0{character}"))
        return dict(zip(pool, pool[1:] + pool[:1], strict=True))
