"""Customer references: a UUID's text outside, its 16 bytes in rows."""

from __future__ import annotations

from uuid import UUID


def to_bytes(ref: str) -> bytes:
    """ValueError when it is no UUID."""
    return UUID(ref).bytes


def from_bytes(customer: bytes) -> str:
    """The canonical text: lower case, with hyphens."""
    digits = customer.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
