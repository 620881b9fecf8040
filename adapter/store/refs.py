"""Customer references: a UUID's text outside, its 16 bytes in rows."""

from __future__ import annotations

import re
from uuid import UUID

_CANONICAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def to_bytes(ref: str) -> bytes:
    """ValueError when it is no UUID."""
    if _CANONICAL.fullmatch(ref):  # UUID() reads other spellings, too, and costs five times as much
        return bytes.fromhex(ref.replace("-", ""))
    return UUID(ref).bytes


def from_bytes(customer: bytes) -> str:
    """The canonical text: lower case, with hyphens."""
    digits = customer.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
