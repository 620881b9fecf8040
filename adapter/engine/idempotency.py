"""Kept answers: what a repeated Idempotency-Key gets (semantics §7; reference, Idempotency)."""

from __future__ import annotations

from .model import Conflict, IdempotencyKey, Millis
from .policy import HOUR, RetentionPolicy

MAX_KEY_CHARS = 255


def is_usable(key: str) -> bool:
    """1 to 255 printable ASCII characters: what survives every proxy and log unchanged."""
    return 0 < len(key) <= MAX_KEY_CHARS and all(" " <= char <= "~" for char in key)


def refuse(kept_fingerprint: str, given: IdempotencyKey) -> Conflict | None:
    """The same key with another body is a client's mistake: the first answer would hide a lost save."""
    if kept_fingerprint in given.fingerprints:
        return None
    return Conflict(
        "This Idempotency-Key was already used with a different request body; use a new key for a new request."
    )


def expires_at(now: Millis, policy: RetentionPolicy) -> Millis:
    """When a kept answer is forgotten."""
    return now + policy.idempotency_hours * HOUR
