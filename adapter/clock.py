"""Time and new ids, as things that are passed in, so that no test sleeps and a replay can be equal to the byte.

`now()` is wall time. `steady()` never steps: the rate window is measured by it, because an operator (or NTP) that
sets the clock back an hour would otherwise block every caller for that hour, and forward would open the gates.
"""

from __future__ import annotations

import secrets
import time
import uuid
from pathlib import Path
from typing import Protocol

from adapter.engine.model import Millis

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RANDOM_BITS = 80
# Of these say four which version of UUID it is, and two whose kind of UUID.
_FIXED_BITS, _VERSION_7 = 0xF << 76 | 0b11 << 62, 7 << 76 | 0b10 << 62


class Clock(Protocol):
    """Wall time and steady time, both in milliseconds; the difference between them may change at any moment."""

    def now(self) -> Millis: ...

    def steady(self) -> Millis: ...


class Ids(Protocol):
    """New ids. `customer_ref()` is a UUID's text, `request_id()` is short and safe to log."""

    def customer_ref(self) -> str: ...

    def request_id(self) -> str: ...


def boot_id() -> str:
    """Names this boot of the machine: steady times of one boot can be compared between its processes."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Not Linux. The minute of the boot: after a reboot ticks begin anew, which must not look like the same boot.
        return f"boot-{(time.time_ns() // 1_000_000 - ticks()) // 60_000}"


def ticks() -> Millis:
    """Milliseconds since boot, the same for every process of this machine, suspended time included where known."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class SystemClock:
    """The real clock. `steady` = ticks since boot + an offset that all processes of one boot agree on (see store)."""

    def __init__(self, offset_ms: int | None = None) -> None:
        self.is_agreed = offset_ms is not None
        self._offset = time.time_ns() // 1_000_000 - ticks() if offset_ms is None else offset_ms

    def agree(self, offset_ms: int) -> None:
        """Take over what the processes of this boot agree on."""
        self._offset = offset_ms
        self.is_agreed = True

    def now(self) -> Millis:
        """Epoch milliseconds, UTC, as the operating system tells it now."""
        return time.time_ns() // 1_000_000

    def steady(self) -> Millis:
        """Like `now`, but unmoved by anybody setting the clock."""
        return ticks() + self._offset


class RandomIds:
    """The real ids."""

    def customer_ref(self) -> str:
        """A UUID of version 7 (RFC 9562): the millisecond it was made in, then 74 random bits.

        Customers who come one after the other lie side by side in every table and index that begins with them; ids in
        no order are scattered over all pages.
        """
        bits = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        return str(uuid.UUID(int=bits & ~_FIXED_BITS | _VERSION_7))

    def request_id(self) -> str:
        """`req_` and 96 random bits."""
        return "req_" + secrets.token_hex(12)


class ToldClock:
    """A clock that is told the time: that of a recording. Steady time follows it, but never goes back."""

    def __init__(self, at: Millis = 0) -> None:
        self._now = at
        self._steady = at

    def tell(self, at: Millis) -> None:
        """It is now `at`."""
        self._now = at
        self._steady = max(self._steady, at)

    def now(self) -> Millis:
        """What was told last."""
        return self._now

    def steady(self) -> Millis:
        """The latest that was told."""
        return self._steady


class CountedIds:
    """Ids that count: the same calls give the same ids. Never for a store that lives on, where they would repeat."""

    def __init__(self) -> None:
        self._count = 0

    def customer_ref(self) -> str:
        """A UUID of version 8 (RFC 9562: one's own), which no random one can be."""
        self._count += 1
        return str(uuid.UUID(int=(8 << 76) | (8 << 60) | self._count))

    def request_id(self) -> str:
        """Always the same; answers to Twilio have none."""
        return "req_replay"
