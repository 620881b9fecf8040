"""Wrong API keys slow down whoever sends them, and nobody else.

After some wrong keys from one address, further ones are not even looked at for a while (429). So that nobody can be
locked out by it: a key that was right here before is always looked at, and wrong secrets under a prefix that names a
key count apart from made-up ones, for each address and prefix. What is left: who shares an address with somebody who
sends wrong secrets under their own prefix may have to wait with a key that this worker has not seen yet.

Each worker counts for itself: W workers let W times as many through. That only saves work and tells in the metrics;
what makes guessing hopeless is a key's 256 bits. Leaves out: whether a key is right (`usecases.authenticate`).
"""

from __future__ import annotations

import ipaddress
import math
import re
import threading
from dataclasses import dataclass, field

from flask import request

from adapter.engine.model import Millis
from adapter.engine.policy import SECOND

# Somebody who mistypes a configuration does so in one go, on some machines behind one address.
FREE_GUESSES = 10
SECONDS_A_GUESS = 6
_COST: Millis = SECONDS_A_GUESS * SECOND
# Of some hundred bytes each. When there are more the oldest are let go: whoever has so many addresses is not slowed.
_MOST_GUESSERS = 10_000
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>[\d.]+):\d+")


@dataclass(frozen=True, slots=True)
class Guesses:
    """By guesser: when (steady, ms) all their wrong keys will have been paid for."""

    _paid_at: dict[str, Millis] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_seconds(self, guesser: str, steady: Millis) -> int:
        """Until they may try another key; 0: now."""
        over = self._paid_at.get(guesser, steady) - steady - (FREE_GUESSES - 1) * _COST
        return max(0, math.ceil(over / SECOND))

    def note(self, guesser: str, steady: Millis) -> None:
        """A wrong key of theirs."""
        with self._lock:
            paid_at = max(self._paid_at.pop(guesser, steady), steady)
            self._paid_at[guesser] = paid_at + _COST
            if len(self._paid_at) > _MOST_GUESSERS:
                del self._paid_at[next(iter(self._paid_at))]


def client_address() -> str:
    """Whose request the present one is; "" when nobody can tell (a Unix socket without a proxy's X-Forwarded-For).

    Only a proxy of ours may say it: one on this machine or in a private network. The last entry is what that proxy saw.
    All addresses of an IPv6 /64 are one household's or one server's.
    """
    peer = request.remote_addr or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return _household(told or peer) if _is_ours(peer) else _household(peer)


def _is_ours(peer: str) -> bool:
    known = _known(peer)
    return known is None or known.is_private  # a Unix socket has no address


def _household(address: str) -> str:
    known = _known(address)
    if known is None:
        return ""
    return str(known) if known.version == 4 else str(ipaddress.ip_network((int(known), 64), strict=False))


def _known(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, with its port as some balancers write it, or of IPv4 inside one of IPv6: as a socket that takes both
    has it, and all of IPv4 would be one household."""
    found = _WITH_PORT.fullmatch(text)
    try:
        known = ipaddress.ip_address(found["six"] or found["four"] if found else text)
    except ValueError:
        return None
    return (known.ipv4_mapped or known) if isinstance(known, ipaddress.IPv6Address) else known
